import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, defineModel, type Generated, sql } from '../../index.js'

export class Parcel {
  id!: Generated<number>
  code!: string
  weight!: number | null
  note!: Generated<string>
  version!: Generated<number>
}

defineModel(Parcel, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    code: { kind: 'text', unique: true, maxLength: 60 },
    weight: { kind: 'integer', nullable: true },
    note: { kind: 'text', default: '' },
    version: { kind: 'integer', role: 'version' },
  },
})

export type SoakDatabase = Database<{ parcels: typeof Parcel }>

const CALLERS = 20
/** Between two pieces of work of one caller: a soak looks for what grows, not for how fast it goes. */
const PAUSE_MS = 10
const ERROR_SHARE = 0.02
const ABORT_SHARE = 0.01

/** Errors that this load provokes. */
const EXPECTED = ['UNIQUE_VIOLATION', 'NOT_FOUND', 'STALE_VERSION', 'ABORTED', 'COMMIT_UNKNOWN', 'ROLLED_BACK']

/** What a load has done so far. */
export interface LoadFigures {
  calls: number
  failed: number
  /** Errors that nothing here provokes, and how often each came. */
  readonly unexpected: Map<string, number>
}

/** Mixed work of twenty callers on one database, in pieces: {@link run} ends with no call under way. */
export class Load {
  readonly #db: SoakDatabase
  readonly figures: LoadFigures = { calls: 0, failed: 0, unexpected: new Map() }
  #lastCode = 0

  constructor(db: SoakDatabase) {
    this.#db = db
  }

  async run(ms: number): Promise<void> {
    const untilMs = performance.now() + ms
    const caller = async () => {
      while (performance.now() < untilMs) {
        await this.#piece()
        await sleep(PAUSE_MS * (0.5 + Math.random()))
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
  }

  async #piece(): Promise<void> {
    this.figures.calls++
    const dice = Math.random()
    try {
      if (dice < ERROR_SHARE) await this.#mistake()
      else if (dice < ERROR_SHARE + ABORT_SHARE) await this.#abort()
      else if (dice < 0.2) await this.#transaction()
      else if (dice < 0.25) await this.#bulk()
      else if (dice < 0.3) await sql`select count(*) from ${sql.table('parcels')}`.execute(this.#db.kysely)
      else await this.#life()
    } catch (error) {
      this.figures.failed++
      const code = String((error as { code?: unknown }).code ?? error)
      if (!EXPECTED.includes(code)) this.figures.unexpected.set(code, (this.figures.unexpected.get(code) ?? 0) + 1)
    }
  }

  /** A row from its making to its end: the table stays as large as it is. */
  async #life(): Promise<void> {
    const { parcels } = this.#db.nodes
    const { id } = await parcels.create({ code: this.#code(), weight: Math.floor(Math.random() * 100) })
    const { version } = await parcels.readOrThrow({ where: { id } })
    await parcels.update({ where: { id }, set: { weight: { $increment: 1 }, note: 'moved' }, version })
    await parcels.list({ where: { weight: { $gte: 50 } }, limit: 10, orderBy: { id: 'asc' } })
    await parcels.count({ where: { code: { $startsWith: 'parcel' } } })
    await parcels.delete({ where: { id } })
  }

  async #transaction(): Promise<void> {
    await this.#db.transaction(async () => {
      const { id } = await this.#db.nodes.parcels.create({ code: this.#code(), weight: 1 })
      await this.#db.transaction(() => this.#db.nodes.parcels.update({ where: { id }, set: { weight: 2 } }))
      if (Math.random() < 0.3) throw Object.assign(new Error('undo'), { code: 'ROLLED_BACK' })
      await this.#db.nodes.parcels.delete({ where: { id } })
    })
  }

  async #bulk(): Promise<void> {
    const codes = Array.from({ length: 50 }, () => this.#code())
    await this.#db.nodes.parcels.bulkCreate({ rows: codes.map((code) => ({ code, weight: 3 })) })
    await this.#db.nodes.parcels.bulkDelete({ where: { code: { $in: codes } } })
  }

  async #mistake(): Promise<void> {
    const { parcels } = this.#db.nodes
    if (Math.random() < 0.5) return void (await parcels.readOrThrow({ where: { id: -1 } }))
    const code = this.#code()
    const { id } = await parcels.create({ code, weight: null })
    await parcels.create({ code, weight: null }).finally(() => parcels.delete({ where: { id } }))
  }

  async #abort(): Promise<void> {
    const { parcels } = this.#db.nodes
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), Math.random() * 4)
    const codes = Array.from({ length: 50 }, () => this.#code())
    try {
      await parcels.bulkCreate({ rows: codes.map((code) => ({ code, weight: 4 })) }, { signal: controller.signal })
    } finally {
      clearTimeout(timer)
      await parcels.bulkDelete({ where: { code: { $in: codes } } })
    }
  }

  #code(): string {
    return `parcel ${++this.#lastCode}`
  }
}
