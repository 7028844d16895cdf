import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Place } from '../support/place.js'
import type { Cost } from '../support/rounds.js'
import type { AdapterName, Operations } from './adapter.js'
import type { WorkloadName } from './workloads.js'

/** How a worker begins. */
export interface Start {
  readonly adapter: AdapterName
  readonly place: Place
  readonly seed: number
  /** Users that are there. */
  readonly rows: number
  /** Number of the first user it writes; no other worker comes near. */
  readonly firstNumber: number
}

/** What a worker is asked. */
export type Question =
  | { readonly ask: 'call'; readonly operation: keyof Operations; readonly values: readonly unknown[] }
  | { readonly ask: 'turn'; readonly workload: WorkloadName; readonly callers: number; readonly forMs: number }
  | { readonly ask: 'close' }

export type Answer = { readonly value: unknown } | { readonly error: string }

/** What a process had taken when it had its first row, from its own start on. */
export interface FirstRow extends Cost {
  readonly rssMiB: number
}

/** An adapter at work in a process of its own. */
export interface Running {
  readonly name: AdapterName
  readonly firstRow: FirstRow
  call<Name extends keyof Operations>(operation: Name, ...values: Parameters<Operations[Name]>): Promise<unknown>
  turn(workload: WorkloadName, callers: number, forMs: number): Promise<Cost>
  stop(): Promise<void>
}

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url))

/** Starts a process in which an adapter is open and has read a row. */
export async function startContender(start: Start): Promise<Running> {
  // advanced: a Date stays a Date on its way
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = fork(WORKER, [JSON.stringify(start)], { serialization: 'advanced', env })
  const ask = (question: Question) => answerOf(child, start.adapter, () => child.send(question))
  const firstRow = (await answerOf(child, start.adapter, () => {})) as FirstRow
  return {
    name: start.adapter,
    firstRow,
    call: (operation, ...values) => ask({ ask: 'call', operation, values }),
    turn: (workload, callers, forMs) => ask({ ask: 'turn', workload, callers, forMs }) as Promise<Cost>,
    stop: async () => {
      if (!child.connected) return
      const ended = once(child, 'exit')
      await ask({ ask: 'close' })
      await ended
    },
  }
}

/** The next thing the worker says. Where it ends instead, says so. */
async function answerOf(child: ChildProcess, name: AdapterName, send: () => unknown): Promise<unknown> {
  const answer = new Promise<Answer>((resolve) => {
    const onExit = (code: number | null) => resolve({ error: `its process ended with code ${code}` })
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message as Answer)
    })
  })
  send()
  const answered = await answer
  if ('error' in answered) throw new Error(`${name}: ${answered.error}`)
  return answered.value
}
