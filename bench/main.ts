import { bulkCreate } from './bulk-create.js'
import { compare } from './compare.js'
import { load } from './load.js'
import { lockCost } from './lock-cost.js'
import { memory } from './memory.js'
import { type BenchmarkName, isHelpWanted, parseSettings, type Settings, USAGE, UsageError } from './settings.js'
import { exitCodeOf, publish, type Report } from './support/report.js'
import { workflow } from './workflow.js'

const BENCHMARKS: Readonly<Record<BenchmarkName, (settings: Settings) => Promise<Report>>> = {
  compare,
  'bulk-create': bulkCreate,
  memory,
  load,
  'lock-cost': lockCost,
  workflow,
}

const argv = process.argv.slice(2)
if (isHelpWanted(argv)) console.log(USAGE)
else await run(argv)

/** Where what is asked for cannot be made out or cannot be had, says so, and the process ends with code 2. */
async function run(argv: readonly string[]): Promise<void> {
  try {
    const { benchmark, settings } = parseSettings(argv)
    const report = await BENCHMARKS[benchmark](settings)
    await publish(benchmark, settings, report)
    process.exitCode = exitCodeOf(report.limits)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\nWhat there is: npm run bench -- --help`)
    process.exitCode = 2
  }
}
