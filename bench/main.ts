import { bulkCreate } from './bulk-create.js'
import { byKeyRead } from './by-key-read.js'
import { memory } from './memory.js'
import { operations } from './operations.js'
import { publish, type Report } from './support/report.js'
import { parseSettings, type Settings, USAGE } from './support/settings.js'
import { workflows } from './workflows.js'

const BENCHMARKS: Readonly<Record<string, (settings: Settings) => Promise<Report>>> = {
  'by-key-read': byKeyRead,
  operations,
  'bulk-create': bulkCreate,
  memory,
  workflows,
}

const asked = parseSettings(process.argv.slice(2))
const benchmark = asked && BENCHMARKS[asked.benchmark]
if (asked === undefined || benchmark === undefined) {
  console.error(USAGE)
  process.exitCode = 2
} else {
  await publish(asked.benchmark, asked.settings, await benchmark(asked.settings))
}
