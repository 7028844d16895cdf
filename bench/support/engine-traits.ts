/** The engines, `mysql` for MariaDB too. */
export const ENGINE_NAMES = ['postgres', 'mysql', 'sqlite'] as const

export type EngineName = (typeof ENGINE_NAMES)[number]

/** What differs between engines. */
export interface EngineTraits {
  /** Whether it is reached over a network, with a session a connection; else it is a file with one connection that writes. */
  readonly hasServer: boolean
  /** Whether what is written can be returned. MariaDB returns what it inserts, which none of the peers knows. */
  readonly returnsRows: boolean
  /** Whether it stores flags and instants; else they are numbers and texts, that somebody has to read as what they are. */
  readonly storesInstants: boolean
  /** How far nodes may be behind the plain driver in the mean. Undefined: they are compared and nothing is demanded. */
  readonly mostTimesRaw: number | undefined
}

/** The traits of each engine. */
export const TRAITS: Readonly<Record<EngineName, EngineTraits>> = {
  postgres: { hasServer: true, returnsRows: true, storesInstants: true, mostTimesRaw: 1.15 },
  mysql: { hasServer: true, returnsRows: false, storesInstants: true, mostTimesRaw: undefined },
  sqlite: { hasServer: false, returnsRows: true, storesInstants: false, mostTimesRaw: undefined },
}
