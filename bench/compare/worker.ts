import { randomKeys } from '../support/random-keys.js'
import { costOf } from '../support/rounds.js'
import { type Adapter, openAdapter } from './adapter.js'
import type { Answer, Question, Start } from './contender.js'
import { POSTS_EACH, userOf } from './users.js'
import { type Supply, WORKLOADS, type Workload } from './workloads.js'

// One adapter in a process of its own: what it costs is what this process takes, and no other's objects, timers or compiled code
// are in it.

const start = JSON.parse(process.argv[2]!) as Start
const adapter = await openAdapter(start.adapter, start.place)
const supply = supplyOf(adapter, start)

process.on('message', async (question: Question) => {
  const answer = await answerTo(question).catch((error: unknown) => ({ error: messageOf(error) }))
  process.send!(answer satisfies Answer)
  if (question.ask === 'close') process.disconnect!()
})
// also where the one who asks has ended: what is open here would keep this process
process.on('disconnect', () => process.exit())
process.send!({ value: await firstRow() } satisfies Answer)

/** When this process, from nothing, had its first row, and what it had taken by then. */
async function firstRow() {
  await adapter.read(1)
  const { user, system } = process.cpuUsage()
  return { wallUs: performance.now() * 1_000, cpuUs: user + system, rssMiB: process.memoryUsage.rss() / 2 ** 20 }
}

async function answerTo(question: Question): Promise<Answer> {
  switch (question.ask) {
    case 'call': {
      const call = adapter[question.operation] as (...values: unknown[]) => Promise<unknown>
      const result = await call(...question.values)
      // what bulk gives is each library's own affair, and not always something that can be sent
      return { value: question.operation === 'bulk' ? undefined : plainOf(result) }
    }
    case 'turn': {
      const workload: Workload = WORKLOADS[question.workload]
      const { callers, forMs } = question
      return { value: await costOf(() => workload.call(supply), { callers, calls: callers, forMs: workload.isBurst ? 0 : forMs }) }
    }
    case 'close':
      await adapter.close()
      return { value: undefined }
  }
}

/** Rows as data that another process can be sent. */
function plainOf(result: unknown): unknown {
  const { plain } = adapter
  if (plain === undefined || typeof result !== 'object' || result === null) return result
  return Array.isArray(result) ? result.map((row) => plain(row)) : plain(result)
}

function supplyOf(operations: Adapter, { seed, rows, firstNumber }: Start): Supply {
  const nextKey = randomKeys(seed, rows)
  // of 100 users more than 50 are active
  const nextPage = randomKeys(seed, rows - 100)
  const nextAuthor = randomKeys(seed, Math.floor(rows / POSTS_EACH))
  let number = firstNumber
  return { operations, nextKey, nextPage, nextAuthor, nextUser: () => userOf(number++) }
}

function messageOf(error: unknown): string {
  // some set the message after the stack, which then has none
  return error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
}
