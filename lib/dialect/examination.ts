/** One thing that was looked at on a server, or in a file. */
export interface Examination {
  /** Such as `server version`. */
  readonly name: string
  /** `warn`: it works, and not as well as it could; `fail`: migrations will not work, or not safely. */
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was found. */
  readonly found: string
  /** What to do; null: nothing. */
  readonly advice: string | null
}

export function ok(name: string, found: string): Examination {
  return { name, status: 'ok', found, advice: null }
}

export function warn(name: string, found: string, advice: string): Examination {
  return { name, status: 'warn', found, advice }
}

export function fail(name: string, found: string, advice: string): Examination {
  return { name, status: 'fail', found, advice }
}

/** Of `PostgreSQL` or `pg` and the like: its version, such as `10.11.6-MariaDB`, and the smallest one that is supported. */
export function versionCheck(name: string, product: string, version: string, smallest: string): Examination {
  const found = `${product} ${version}, supported from ${smallest}`
  return isAtLeast(version, smallest) ? ok(name, found) : fail(name, found, `upgrade to ${smallest} or newer`)
}

function isAtLeast(version: string, smallest: string): boolean {
  const parts = (text: string) => (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number)
  const [is, least] = [parts(version), parts(smallest)]
  const differing = least.findIndex((part, at) => part !== (is[at] ?? 0))
  return differing === -1 || (is[differing] ?? 0) > least[differing]!
}

const MOST_SKEW_MS = 2_000

/**
 * How far the server's clock is from ours.
 *
 * @param ask  gives the server's, in milliseconds of the epoch
 */
export async function clockCheck(ask: () => Promise<number>): Promise<Examination> {
  const beforeMs = Date.now()
  const serverMs = await ask()
  const afterMs = Date.now()
  // somewhere between the two it was read
  const skewMs = Math.round(Math.max(0, beforeMs - serverMs, serverMs - afterMs))
  const found = skewMs === 0 ? 'the same as here' : `${skewMs} ms from here`
  if (skewMs <= MOST_SKEW_MS) return ok('clock', found)
  return warn('clock', found, 'set both clocks by NTP: ids of migrations and times in the log are of this machine')
}
