import { TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import { APPLICATION_NAME } from './connection-count.js'
import { openNodeAccounts } from './node-accounts.js'
import { openRawAccounts } from './raw-accounts.js'
import { openStallingFront } from './stalling-front.js'
import type { AccountPool } from './workflow.js'

/** `nodes-legacy-lock`: nodes while one lock serialises the opening of all pools. */
export type Mode = 'raw' | 'nodes' | 'nodes-legacy-lock'

/** One way to do the workflows. */
export interface Contender {
  readonly mode: Mode
  /** `cold`: nothing is open when the clock starts. `warm`: every connection is open, every statement prepared. */
  readonly pool: 'cold' | 'warm'
  readonly pools: 1 | 20
  /** Whether the first pool's connections are held up on their way to the server. */
  readonly stalled: boolean
  /** Most connections that its pools may make together. */
  readonly maxConnections: number
  open(): Promise<OpenPools>
}

export interface OpenPools {
  readonly each: readonly AccountPool[]
  close(): Promise<void>
}

const POOLS = 20
/** 20 × 3 connections leave room on a server that takes 100. */
const CONNECTIONS_A_POOL = 3
const STALL_MS = 1_000

/** The contenders with one pool, in pairs that compare. */
export function onePoolContenders(place: Place): readonly Contender[] {
  const { engine, maxConnections } = place
  const rawUrl = place.url
  const nodesUrl = named(place, APPLICATION_NAME)
  const raw = () => openOne(openRawAccounts(engine, rawUrl, maxConnections))
  const nodes = () => openOne(openNodeAccounts(engine, nodesUrl, maxConnections))
  return (['cold', 'warm'] as const).flatMap((pool): Contender[] => [
    { mode: 'raw', pool, pools: 1, stalled: false, maxConnections, open: raw },
    { mode: 'nodes', pool, pools: 1, stalled: false, maxConnections, open: nodes },
  ])
}

/** Nodes on twenty pools, the first of them slow to open or not, with a lock for each pool or one for all. None for an embedded engine. */
export function manyPoolsContenders(place: Place): readonly Contender[] {
  if (!TRAITS[place.engine].hasServer) return []
  const perPool = Math.min(CONNECTIONS_A_POOL, place.maxConnections)
  return (['nodes', 'nodes-legacy-lock'] as const).flatMap((mode) =>
    [false, true].map((stalled): Contender => {
      const open = () => openMany(place, perPool, stalled ? STALL_MS : 0)
      return { mode, pool: 'cold', pools: POOLS, stalled, maxConnections: POOLS * perPool, open }
    }),
  )
}

async function openOne(pool: AccountPool): Promise<OpenPools> {
  return { each: [pool], close: () => pool.close() }
}

/** The first pool goes through the front even where that stalls nothing: so its way is the same length. */
async function openMany(place: Place, maxConnections: number, stallMs: number): Promise<OpenPools> {
  const front = await openStallingFront(place.url, stallMs)
  const each = Array.from({ length: POOLS }, (_, index) => {
    const url = index === 0 ? front.url : place.url
    return openNodeAccounts(place.engine, named({ ...place, url }, `${APPLICATION_NAME}-${index}`), maxConnections)
  })
  const close = async () => {
    await Promise.all(each.map((pool) => pool.close()))
    await front.close()
  }
  return { each, close }
}

/** The URL with a name for its sessions, which makes it a configuration of its own. */
function named({ engine, url }: Place, applicationName: string): string {
  if (!TRAITS[engine].hasServer) return url
  const parsed = new URL(url)
  parsed.searchParams.set('application_name', applicationName)
  return parsed.href
}
