import type { EngineName } from '../support/settings.js'

/** What differs between engines under load. */
export interface EngineTraits {
  /** Whether it is reached over a network, with a session a connection; else it is a file with one connection that writes. */
  readonly hasServer: boolean
  /** How far nodes may be behind the plain driver in the mean. Undefined: they are compared and nothing is demanded. */
  readonly mostTimesRaw: number | undefined
}

/** The traits of each engine. */
export const TRAITS: Readonly<Record<EngineName, EngineTraits>> = {
  postgres: { hasServer: true, mostTimesRaw: 1.15 },
  mysql: { hasServer: true, mostTimesRaw: undefined },
  sqlite: { hasServer: false, mostTimesRaw: undefined },
}
