import type { CompiledQuery } from 'kysely'
import type { Statement, StatementResult } from '../lib/dialect/dialect.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import type { TableSchema } from '../lib/model/schema.js'
import { MigrationUsageError } from './errors.js'
import type { Checkpoints, HistoryRow, LogEntry, LoggedFailure } from './history-row.js'
import { HistoryStatements } from './history-statements.js'
import type { TakenOver } from './squashed.js'
import { createStatements, RowCodec, STATE_VERSION, type StateTables, stateTables } from './state-tables.js'
import { inStateTransaction } from './state-transaction.js'

/** What one database says of its migrations, on the connection of a run. */
export class History {
  readonly #tables: StateTables
  readonly #session: MigrationSession
  readonly #dialect: MigrationDialect
  readonly #statements: HistoryStatements

  constructor(session: MigrationSession, dialect: MigrationDialect, table: string, actor: string | undefined) {
    this.#tables = stateTables(table, session.schema)
    this.#session = session
    this.#dialect = dialect
    this.#statements = new HistoryStatements(this.#tables, dialect, actor)
  }

  /** Makes the tables where they are not there. For who has the lock. */
  async ensure(): Promise<void> {
    if (await this.#isThere(this.#tables.meta)) {
      // a process that was killed before its last statement, where DDL cannot be undone
      if ((await this.#requireVersion()) === 0) await this.#send(this.#statements.version(STATE_VERSION))
      return
    }
    if (!this.#dialect.capabilities.transactionalDdl) return this.#create()
    await inStateTransaction(this.#session, this.#dialect, () => this.#create())
  }

  async #create(): Promise<void> {
    for (const { table, sql } of createStatements(this.#tables, this.#dialect)) {
      // a process that was killed between two of them, where DDL cannot be undone
      if (!(await this.#isThere(table))) await this.#run({ sql, parameters: [] })
    }
    await this.#send(this.#statements.version(STATE_VERSION))
  }

  /** All rows; none where there are no tables. */
  async read(): Promise<readonly HistoryRow[]> {
    if (!(await this.#isThere(this.#tables.meta))) return []
    await this.#requireVersion()
    return this.#select(undefined)
  }

  async readOne(id: string): Promise<HistoryRow | undefined> {
    return (await this.#select(id))[0]
  }

  async #select(id: string | undefined): Promise<readonly HistoryRow[]> {
    const columns = this.#tables.migrations.columns.map(({ name }) => name)
    const codec = new RowCodec(this.#tables.migrations, this.#dialect)
    const { rows } = await this.#send(this.#statements.read(columns, id))
    return rows.map((values) => rowOf(codec.decode(columns, values)))
  }

  /** Failures by migration that no success has followed. */
  async lastFailures(): Promise<ReadonlyMap<string, LoggedFailure>> {
    const last = new Map<string, LoggedFailure>()
    if (!(await this.#isThere(this.#tables.log))) return last
    const columns = ['migration', 'outcome', 'at', 'error_code', 'error_text']
    const codec = new RowCodec(this.#tables.log, this.#dialect)
    const { rows } = await this.#send(this.#statements.readLog(columns))
    for (const values of rows) {
      const row = codec.decode(columns, values)
      const migration = row.migration as string
      if (row.outcome !== 'failed') last.delete(migration)
      else
        last.set(migration, {
          code: row.error_code as string | null,
          message: String(row.error_text ?? ''),
          at: (row.at as Date).toISOString(),
        })
    }
    return last
  }

  /** Writes the row of a migration, whether there is one or not. */
  async write(row: HistoryRow): Promise<void> {
    const { affectedRows } = await this.#send(this.#statements.update(row))
    if (affectedRows === 0) await this.#send(this.#statements.insert(row))
  }

  /** Writes that a squashed migration is there, since all that it replaces is. */
  async takeOver({ id, rows }: TakenOver): Promise<void> {
    const entry = {
      migration: id,
      action: 'squash',
      outcome: 'applied',
      step: null,
      durationMs: 0,
      errorCode: null,
      errorText: null,
    } as const
    await inStateTransaction(this.#session, this.#dialect, async () => {
      for (const row of rows) await this.write(row)
      await this.log({ ...entry, reason: 'all that it replaces is applied' })
    })
  }

  /** Says how far a migration is. */
  async progress(id: string, stepsDone: number): Promise<void> {
    await this.#send(this.#statements.progress(id, stepsDone))
  }

  async checkpoint(id: string, checkpoint: Checkpoints): Promise<void> {
    await this.#send(this.#statements.checkpoint(id, checkpoint))
  }

  async remove(id: string): Promise<void> {
    await this.#send(this.#statements.remove(id))
  }

  async log(entry: LogEntry): Promise<void> {
    await this.#send(this.#statements.logging(entry))
  }

  /** The version of the state; 0 where none is written down. */
  async #requireVersion(): Promise<number> {
    const { rows } = await this.#send(this.#statements.readVersion())
    const version = Math.max(0, ...rows.map(([value]) => Number(value)))
    if (version <= STATE_VERSION) return version
    throw new MigrationUsageError(
      `the state of "${this.#session.database}" is of version ${version}, which a newer latchwork keeps, and this one knows ${STATE_VERSION}; nothing was run`,
      {},
      ['npm install latchwork@latest'],
    )
  }

  async #isThere({ name, schema }: TableSchema): Promise<boolean> {
    return (await this.#run(this.#dialect.tableExists({ name, ...(schema === undefined ? {} : { schema }) }))).rows.length > 0
  }

  async #send({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): Promise<StatementResult> {
    return this.#run({ sql, parameters })
  }

  #run(statement: Statement) {
    return this.#session.connection.run(statement)
  }
}

function rowOf(values: Record<string, unknown>): HistoryRow {
  const { started_at, finished_at } = values as { readonly started_at: Date; readonly finished_at: Date | null }
  return {
    id: values.id as string,
    checksum: values.checksum as string | null,
    state: values.state as HistoryRow['state'],
    stepsTotal: values.steps_total as number,
    stepsDone: values.steps_done as number,
    stepHashes: parsed(values.step_hashes) ?? [],
    checkpoint: parsed(values.checkpoint) ?? {},
    startedAtMs: started_at.getTime(),
    finishedAtMs: finished_at?.getTime() ?? null,
    durationMs: values.duration_ms as number | null,
    errorCode: values.error_code as string | null,
    errorText: values.error_text as string | null,
  }
}

function parsed<T>(text: unknown): T | undefined {
  return typeof text === 'string' ? (JSON.parse(text) as T) : undefined
}
