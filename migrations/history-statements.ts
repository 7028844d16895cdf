import { hostname, userInfo } from 'node:os'
import type { CompiledQuery } from 'kysely'
import type { Dialect } from '../lib/dialect/dialect.js'
import type { HistoryRow, LogEntry } from './history-row.js'
import { type AnyKysely, compilerFor } from './session-kysely.js'
import { RowCodec, type StateTables } from './state-tables.js'
import { toolVersion } from './tool-version.js'

const MAX_ERROR_BYTES = 2_048

/** The statements that keep the state, compiled for one engine. */
export class HistoryStatements {
  readonly #tables: StateTables
  readonly #dialect: Dialect
  readonly #compiler: AnyKysely
  readonly #who: Readonly<Record<'tool_version' | 'actor' | 'host', string>>

  constructor(tables: StateTables, dialect: Dialect, actor: string | undefined) {
    const compiler = compilerFor(dialect)
    this.#tables = tables
    this.#dialect = dialect
    this.#compiler = tables.meta.schema === undefined ? compiler : compiler.withSchema(tables.meta.schema)
    this.#who = { tool_version: toolVersion(), actor: (actor ?? systemUser()).slice(0, 200), host: hostname().slice(0, 200) }
  }

  readVersion(): CompiledQuery {
    return this.#compiler.selectFrom(this.#tables.meta.name).select('version').compile()
  }

  version(version: number): CompiledQuery {
    return this.#compiler.insertInto(this.#tables.meta.name).values({ version }).compile()
  }

  /** @param id undefined: of all migrations */
  read(columns: readonly string[], id: string | undefined): CompiledQuery {
    const all = this.#compiler.selectFrom(this.#tables.migrations.name).select(columns)
    return (id === undefined ? all : all.where('id', '=', id)).compile()
  }

  readLog(columns: readonly string[]): CompiledQuery {
    return this.#compiler.selectFrom(this.#tables.log.name).select(columns).orderBy('id').compile()
  }

  update(row: HistoryRow): CompiledQuery {
    return this.#set(row.id, this.#encoded(row))
  }

  insert(row: HistoryRow): CompiledQuery {
    return this.#compiler.insertInto(this.#tables.migrations.name).values(this.#encoded(row)).compile()
  }

  /** Whether there is one or not: an upsert would be another statement on each engine. */
  replacing(row: HistoryRow): readonly CompiledQuery[] {
    return [this.remove(row.id), this.insert(row)]
  }

  remove(id: string): CompiledQuery {
    return this.#compiler.deleteFrom(this.#tables.migrations.name).where('id', '=', id).compile()
  }

  progress(id: string, stepsDone: number): CompiledQuery {
    return this.#set(id, { steps_done: stepsDone })
  }

  checkpoint(id: string, checkpoint: HistoryRow['checkpoint']): CompiledQuery {
    return this.#set(id, { checkpoint: JSON.stringify(checkpoint) })
  }

  logging(entry: LogEntry): CompiledQuery {
    const values = new RowCodec(this.#tables.log, this.#dialect).encode({
      migration: entry.migration,
      action: entry.action,
      outcome: entry.outcome,
      step: entry.step,
      at: new Date(),
      duration_ms: entry.durationMs,
      reason: entry.reason,
      ...this.#who,
      error_code: entry.errorCode?.slice(0, 40) ?? null,
      error_text: cut(entry.errorText),
    })
    return this.#compiler.insertInto(this.#tables.log.name).values(values).compile()
  }

  #set(id: string, values: Record<string, unknown>): CompiledQuery {
    return this.#compiler.updateTable(this.#tables.migrations.name).set(values).where('id', '=', id).compile()
  }

  #encoded(row: HistoryRow): Record<string, unknown> {
    return new RowCodec(this.#tables.migrations, this.#dialect).encode({
      id: row.id,
      checksum: row.checksum,
      state: row.state,
      steps_total: row.stepsTotal,
      steps_done: row.stepsDone,
      step_hashes: JSON.stringify(row.stepHashes),
      checkpoint: JSON.stringify(row.checkpoint),
      started_at: new Date(row.startedAtMs),
      finished_at: row.finishedAtMs === null ? null : new Date(row.finishedAtMs),
      duration_ms: row.durationMs,
      ...this.#who,
      error_code: row.errorCode?.slice(0, 40) ?? null,
      error_text: cut(row.errorText),
    })
  }
}

function cut(text: string | null): string | null {
  if (text === null || Buffer.byteLength(text) <= MAX_ERROR_BYTES) return text
  const kept = Buffer.from(text).subarray(0, MAX_ERROR_BYTES - 3)
  // a character may be cut in two
  return `${kept.toString('utf8').replace(/\ufffd+$/, '')}…`
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    // a container may run as a user without a name
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
