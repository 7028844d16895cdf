import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { processLocks } from '../../lib/lock/lock-registry.js'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { countSessions } from '../contract/use-database.js'
import type { SpecEngine } from './engines.js'

/** What Node calls those that keep a process. The runner's own come and go within a tenth of a second: no test begins with any. */
const TIMERS = 'Timeout'
/** InnoDB shows the transactions of its last look again to whoever looks within 100 ms of it. */
const LOOK_AGAIN_MS = 150

type Counts = Readonly<Record<string, number>>
type Looked = Pick<SpecEngine, 'name' | 'admin'>

const LIMITS = {
  /** Most milliseconds until what a test began has ended, without anybody closing anything; and until a server has forgotten a session. */
  restMs: 3_000,
  /** Most milliseconds from the end of `close()` until nothing would keep the process from ending. */
  exitMs: 2_000,
}

/**
 * Notes what there is before a test. What it gives is called at the end of the test, with what closes what the test opened, and
 * expects that nothing is left.
 *
 * Before the close, which would end what is stuck: nobody has a connection or a lock or waits for one, and no session is in a
 * transaction. After it: no pool, no place in the budget, no socket, timer or open file that would keep the process from ending,
 * and no session at the server. What an earlier test left behind may go in this one's time.
 */
export function noteWhatIsThere(
  engine: Looked,
  url: string,
  { restMs, exitMs } = LIMITS,
): (close: () => Promise<unknown>) => Promise<void> {
  const before = { ...inUse(), ...heldByProcess(url), [TIMERS]: 0 }
  return async (close) => {
    try {
      await nothingGrows('in use before the close', before, inUse, restMs)
      const transactions = { timeout: restMs, interval: LOOK_AGAIN_MS, message: 'open transactions before the close' }
      await expect.poll(() => openTransactions(engine, url), transactions).toBe(0)
    } finally {
      await close()
    }
    await nothingGrows('there after the close', before, () => ({ ...inUse(), ...heldByProcess(url) }), exitMs)
    if (engine.name === 'sqlite') return
    await expect.poll(() => countSessions(engine, url), { timeout: restMs, message: 'sessions at the server' }).toBe(0)
  }
}

/** Polls with timers that do not count themselves. */
async function nothingGrows(what: string, before: Counts, now: () => Counts, withinMs: number): Promise<void> {
  const sinceMs = performance.now()
  let grown = grownSince(before, now())
  while (Object.keys(grown).length > 0 && performance.now() - sinceMs < withinMs) {
    await sleep(10, undefined, { ref: false })
    grown = grownSince(before, now())
  }
  expect(grown, what).toEqual({})
}

/** Of what there are more now. */
function grownSince(before: Counts, now: Counts): Counts {
  const grown = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(grown.filter(([, count]) => count > 0))
}

/** What calls of this process have, and wait for. */
function inUse(): Counts {
  const registry = poolRegistry()
  const { pools, dedicated } = registry.stats()
  const { held, waiting } = processLocks().meter.metrics().total
  const sum = (count: 'leased' | 'waiting') => pools.reduce((total, { stats }) => total + (stats?.[count] ?? 0), 0)
  return {
    'leased connections': sum('leased'),
    'callers in the queue': sum('waiting'),
    'dedicated connections': dedicated,
    'keys of pool locks': registry.locks.size,
    'held locks': held,
    'callers who wait for a lock': waiting,
  }
}

/** What this process has besides: pools, places in the budget, files of a SQLite database, and what would keep it from ending. */
function heldByProcess(url: string): Counts {
  const { pools, budget } = poolRegistry().stats()
  const counts: Record<string, number> = { pools: pools.length, 'connections taken': budget.taken, 'connections allowed': budget.limit }
  counts['open files of the database'] = openFiles(url)
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** How many descriptors of this process lead to a file of the SQLite database; 0 where the system does not tell. */
function openFiles(url: string): number {
  if (!url.startsWith('sqlite:') || !existsSync('/proc/self/fd')) return 0
  const file = url.slice('sqlite:'.length)
  return readdirSync('/proc/self/fd').filter((name) => pathOf(name).startsWith(file)).length
}

function pathOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // the one that listed the folder is closed by now
    return ''
  }
}

/** Sessions that are in a transaction and do nothing; of a SQLite file, the one that keeps others from writing. */
export async function openTransactions(engine: Looked, url: string): Promise<number> {
  if (engine.name === 'sqlite') return (await isLockedForWriting(engine, url)) ? 1 : 0
  if (engine.name === 'mysql') return openInInnodb(engine, url)
  const sessions = "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"
  return (await engine.admin(url, sessions)).length
}

/** A look that shows its own transaction is no older than that: whoever else looks keeps an old one alive. */
async function openInInnodb(engine: Looked, url: string): Promise<number> {
  const look = `start transaction with consistent snapshot;
    select p.id = connection_id() as isOwn, p.db = database() and p.command = 'Sleep' as isOpen
    from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id`
  for (;;) {
    const transactions = await engine.admin(url, look)
    if (transactions.some(({ isOwn }) => Number(isOwn) === 1)) return transactions.filter(({ isOpen }) => Number(isOpen) === 1).length
    await sleep(LOOK_AGAIN_MS)
  }
}

async function isLockedForWriting(engine: Looked, url: string): Promise<boolean> {
  try {
    await engine.admin(url, 'pragma busy_timeout = 0; begin immediate; rollback')
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return true
    throw error
  }
}
