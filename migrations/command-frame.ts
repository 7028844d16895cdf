import { deadlineAfter } from '../lib/deadline.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationOpening, MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError } from '../lib/errors.js'
import type { MigrationCommand } from './documents.js'
import { typedError } from './error-words.js'
import type { LockedRun } from './locked-run.js'
import { type MigrationFolder, readMigrations } from './migration-files.js'
import type { CheckedOptions } from './migrator-options.js'
import { fileProblems, historyProblems, inOrder, pendingOf } from './plan.js'
import { interrupted, refuseProblems } from './refusals.js'
import { type Findings, findings, withDocument } from './report.js'
import { RunContext } from './run-context.js'
import { takeLock } from './run-lock.js'
import { partlySquashed, withSquashed } from './squashed.js'
import { unmadeDatabase } from './unmade-database.js'

/** What a command that changes nothing works with. */
export interface Look {
  readonly context: RunContext
  readonly found: Findings
  readonly folder: MigrationFolder
}

/** How a command holds the lock. */
export interface Holding {
  readonly signal: AbortSignal | undefined
  /** Nothing is to be changed, not even the state made. Default false. */
  readonly isDry?: boolean
  /** Throws where what was asked for makes no sense, before anything is opened. */
  readonly check?: () => void
}

/** What is around the work of every command: the connection it runs on, the lock, and the document of what it threw. */
export class CommandFrame {
  constructor(
    readonly options: CheckedOptions,
    readonly dialect: MigrationDialect,
  ) {}

  readFolder(): Promise<MigrationFolder> {
    return readMigrations(this.options.folder, this.dialect.engine)
  }

  /** Runs `body`; what it throws gets the document of the command. */
  async documented<T>(command: MigrationCommand, found: Findings, body: () => Promise<T>): Promise<T> {
    try {
      return await body()
    } catch (error) {
      const known = error instanceof AbortedError ? interrupted(found, error) : typedError(this.dialect, error)
      throw withDocument(known, command, this.dialect, found)
    }
  }

  /** Runs `body` on a connection that changes nothing. */
  looking<T>(command: MigrationCommand, signal: AbortSignal | undefined, body: (look: Look) => Promise<T>): Promise<T> {
    const found = findings()
    return this.documented(command, found, async () => {
      const folder = await this.readFolder()
      return this.connected(found, signal, (context) => body({ context, found, folder }))
    })
  }

  /** Runs `body` on a connection that has the lock, the history read under it. */
  underLock<T>(command: LockedCommand, { signal, isDry = false, check }: Holding, body: (run: LockedRun) => Promise<T>): Promise<T> {
    const found = findings()
    return this.documented(command, found, async () => {
      check?.()
      const folder = await this.readFolder()
      return this.holding(found, { signal, isDry }, async (context) => {
        // a database that is refused is left without them
        if (command !== 'baseline' && !isDry) await context.history.ensure()
        // only now: another process may have finished while we waited
        const { rows, taken } = withSquashed(folder.migrations, await context.history.read())
        const ordered = inOrder(folder.migrations)
        found.pending = pendingOf(ordered, rows).map(({ id }) => id)
        // what is to be put right with these two may be just this
        if (command !== 'mark')
          refuseProblems([
            ...fileProblems(folder.migrations, folder.head),
            ...historyProblems(folder.migrations, rows),
            ...partlySquashed(folder.migrations, rows),
          ])
        return body({ context, found, ordered, rows, taken })
      })
    })
  }

  /** Runs `body` on a connection that has the lock. */
  holding<T>(found: Findings, { signal, isDry = false }: Holding, body: (context: RunContext) => Promise<T>): Promise<T> {
    const open = () => (isDry ? this.#openToPlan(signal) : this.open('write', signal))
    return this.#on(open, found, signal, async (context) => {
      if (!context.session.isMade) {
        context.warn(`there is no database "${context.session.database}": it is yet to be made, and planned for as an empty one`)
        return body(context)
      }
      found.waitedMs = await takeLock(context)
      const result = await body(context)
      // it is free at the latest when the connection is closed
      await context.session.unlock().catch(() => undefined)
      return result
    })
  }

  /** Runs `body` on a connection that changes nothing and has no lock. */
  connected<T>(found: Findings, signal: AbortSignal | undefined, body: (context: RunContext) => Promise<T>): Promise<T> {
    return this.#on(() => this.open('read', signal), found, signal, body)
  }

  async #on<T>(
    open: () => Promise<MigrationSession>,
    found: Findings,
    signal: AbortSignal | undefined,
    body: (context: RunContext) => Promise<T>,
  ): Promise<T> {
    const context = new RunContext(this.dialect, this.options, signal, await open())
    found.warnings = context.warnings
    try {
      found.database = context.session.database
      return await body(context)
    } finally {
      await context.session.close()
    }
  }

  /** Of a database that `up` would make, a stand-in. */
  async #openToPlan(signal: AbortSignal | undefined): Promise<MigrationSession> {
    try {
      return await this.open('read', signal)
    } catch (error) {
      const { migrations } = this.dialect
      if (!this.options.createDatabase || !migrations.saysNoDatabase(error)) throw error
      return unmadeDatabase(migrations.target(this.options.schema).name)
    }
  }

  open(access: 'read' | 'write', signal: AbortSignal | undefined): Promise<MigrationSession> {
    return this.dialect.migrations.open(this.opening(access, signal))
  }

  opening(access: 'read' | 'write', signal: AbortSignal | undefined): MigrationOpening {
    const { table, schema, createDatabase, allowSessionPooler, singleWriter, connectTimeoutMs } = this.options
    return {
      table,
      schema,
      access,
      createDatabase: createDatabase && access === 'write',
      allowSessionPooler,
      singleWriter,
      deadline: deadlineAfter(connectTimeoutMs),
      signal,
    }
  }
}

type LockedCommand = Extract<MigrationCommand, 'up' | 'down' | 'redo' | 'resume' | 'mark' | 'baseline'>
