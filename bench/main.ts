import { bulkCreate } from './bulk-create.js'
import { byKeyRead } from './by-key-read.js'
import { include } from './include.js'
import { load } from './load.js'
import { lockCost } from './lock-cost.js'
import { memory } from './memory.js'
import { operations } from './operations.js'
import { exitCodeOf, publish, type Report } from './support/report.js'
import { type BenchmarkName, isHelpWanted, parseSettings, type Settings, USAGE, UsageError } from './support/settings.js'

const BENCHMARKS: Readonly<Record<BenchmarkName, (settings: Settings) => Promise<Report>>> = {
  'by-key-read': byKeyRead,
  operations,
  include,
  'bulk-create': bulkCreate,
  memory,
  load,
  'lock-cost': lockCost,
}

const argv = process.argv.slice(2)
if (isHelpWanted(argv)) console.log(USAGE)
else await run(argv)

async function run(argv: readonly string[]): Promise<void> {
  const asked = settingsOf(argv)
  if (asked === undefined) return
  const { benchmark, settings } = asked
  const report = await BENCHMARKS[benchmark](settings)
  await publish(benchmark, settings, report)
  process.exitCode = exitCodeOf(report.limits)
}

/** What is asked for; where that cannot be made out says so, and the process ends with code 2. */
function settingsOf(argv: readonly string[]): ReturnType<typeof parseSettings> | undefined {
  try {
    return parseSettings(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\nWhat there is: npm run bench -- --help`)
    process.exitCode = 2
    return undefined
  }
}
