import { createDatabase } from 'latchwork'
import { Account } from '../support/account.js'
import type { EngineName } from '../support/engine-traits.js'
import { TRAITS } from '../support/engine-traits.js'
import { type AccountCalls, type AccountPool, rehearsalNumbers, rehearse } from './workflow.js'

/** Long enough for the last of thousands of callers: what is measured is how long they wait, not who gives up. */
const ACQUIRE_TIMEOUT_MS = 60_000

/** The nodes of a database object on a pool of its own. */
export function openNodeAccounts(engine: EngineName, url: string, maxConnections: number): AccountPool {
  const pool = { maxConnections, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS }
  const db = createDatabase({ url, models: { accounts: Account }, pool })
  const { accounts } = db.nodes
  const calls: AccountCalls = {
    create: (account) => accounts.create(account),
    read: (id) => accounts.readOrThrow({ where: { id } }),
    update: (id, age) => accounts.update({ where: { id }, set: { age } }),
    count: () => accounts.count(),
    remove: (id) => accounts.delete({ where: { id } }),
  }
  // without a server there is one connection that writes, and a call is over before the next one begins
  const rehearsals = TRAITS[engine].hasServer ? maxConnections : 1
  const warm = () => (rehearsals > 1 ? rehearseTogether(db, calls, rehearsals) : rehearse(calls, rehearsalNumbers(1)[0]!))
  return { ...calls, warm, close: () => db.close() }
}

type Transactional = Pick<ReturnType<typeof createDatabase>, 'transaction'>

/** Rehearses in as many transactions at once as there are connections: each holds one until all have rehearsed. */
async function rehearseTogether(db: Transactional, calls: AccountCalls, connections: number): Promise<void> {
  const { promise, resolve, reject } = withResolvers()
  let missing = connections
  const rehearseAndWait = async (number: number) => {
    await rehearse(calls, number).catch(reject)
    if (--missing === 0) resolve()
    await promise
  }
  await Promise.all(rehearsalNumbers(connections).map((number) => db.transaction(() => rehearseAndWait(number))))
}

// Promise.withResolvers is not in Node 20
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve!: () => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
