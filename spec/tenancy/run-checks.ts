import { createDatabase } from 'latchwork'
import { atNoon, CHECKS, fillDesk } from './checks.js'
import { models } from './models.js'

// Runs every check on a database in memory; ends with 1 and the title of the first that fails.

for (const { title, run } of CHECKS) {
  const desk = createDatabase({ url: 'sqlite::memory:', models, now: atNoon })
  try {
    await desk.createTables()
    await fillDesk(desk)
    await run(desk)
  } catch (error) {
    console.log(`${title}: ${String(error)}`)
    process.exitCode = 1
    break
  } finally {
    await desk.close()
  }
}
