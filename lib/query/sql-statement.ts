import { sql as template } from 'kysely'
import type { Dialect, ResultColumn, Statement } from '../dialect/dialect.js'
import { ConfigurationError, ValidationError } from '../errors.js'
import { isSignificant, type SqlToken, sqlStatements, sqlTokens } from '../sql-text.js'
import type { BoundModel, Compiler } from './bound-model.js'
import { plainBinding } from './kysely/plain-binding.js'
import { RowReader } from './kysely/row-reader.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'

/** One statement of the application's, with the engine's placeholders where it had names. */
export interface SqlStatementText {
  readonly sql: string
  /** The name that is bound at each placeholder; one that stands twice is there twice. */
  readonly names: readonly string[]
  /** Whether it changes nothing, as far as its words tell. */
  readonly isRead: boolean
  /** As it was written. */
  readonly tokens: readonly SqlToken[]
}

export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
  readonly affectedRows: number
}

/** Statements of the application's own on one database: on the transaction that the call is in, or on a connection of the pool. */
export class SqlRunner {
  readonly #dialect: Dialect
  readonly #compiler: Compiler
  readonly #runner: PlanRunner
  readonly #reader: RowReader
  readonly #bind: (value: unknown) => unknown

  constructor(models: Iterable<BoundModel>, dialect: Dialect, compiler: Compiler, runner: PlanRunner) {
    this.#dialect = dialect
    this.#compiler = compiler
    this.#runner = runner
    this.#reader = new RowReader(models)
    this.#bind = plainBinding(dialect)
  }

  /**
   * Reads a statement with named parameters: `:name` outside of literals, quoted names, comments and casts.
   *
   * @throws {ConfigurationError} there is not exactly one statement, a quote or comment is not closed, or values are bound by position
   */
  parse(text: string): SqlStatementText {
    const { sqlTraits } = this.#dialect
    const tokens = sqlTokens(text, sqlTraits)
    const open = tokens.find(({ isUnfinished }) => isUnfinished)
    if (open !== undefined) throw refusal(`what begins in line ${open.line} with ${open.text.slice(0, 2)} is not closed`)
    const placeholder = tokens.find(({ kind }) => kind === 'placeholder')
    if (placeholder !== undefined) throw refusal(`${placeholder.text} in line ${placeholder.line} has no name; write :name`)
    const statements = sqlStatements(text, sqlTraits)
    if (statements.length === 0) throw refusal('there is no statement in it')
    if (statements.length > 1) throw refusal(`another statement begins in line ${statements[1]!.line}; a node runs one`)
    const own = statements[0]!.tokens
    return { ...this.#compiled(own), isRead: isRead(own), tokens: own }
  }

  /** Has the engine's own compiler number the placeholders. */
  #compiled(tokens: readonly SqlToken[]): { readonly sql: string; readonly names: readonly string[] } {
    const parts = ['']
    const names: string[] = []
    for (const { kind, text } of tokens) {
      if (kind === 'parameter') {
        names.push(text.slice(1))
        parts.push('')
      } else parts[parts.length - 1] += text
    }
    const { sql, parameters } = template(parts as unknown as TemplateStringsArray, ...names).compile(this.#compiler)
    return { sql, names: parameters as readonly string[] }
  }

  /**
   * Runs a statement with its values by name. Values of a model's columns come as the model's fields say, others as the driver gives them.
   *
   * @throws {ValidationError} a value is missing
   */
  async run(
    label: string,
    text: SqlStatementText,
    values: Readonly<Record<string, unknown>>,
    limits: CallLimits | undefined,
  ): Promise<SqlResult> {
    return this.#runner.run(this.#plan(label, text, values), limits)
  }

  /**
   * The rows of a statement that reads, a batch at a time, over a cursor: what is not taken yet the database keeps.
   *
   * @throws see {@link run}
   */
  batches(
    label: string,
    text: SqlStatementText,
    values: Readonly<Record<string, unknown>>,
    limits: CallLimits | undefined,
  ): AsyncGenerator<SqlResult, void, undefined> {
    return this.#runner.batches(this.#plan(label, text, values), limits)
  }

  #plan(label: string, text: SqlStatementText, values: Readonly<Record<string, unknown>>): QueryPlan<SqlResult> {
    let columns: readonly ResultColumn[] = []
    return {
      label,
      access: text.isRead ? 'read' : 'write',
      statement: this.#statement(label, text, values),
      // it may call a function that changes the session
      taints: true,
      inspect: async (result) => {
        columns = await result.columns()
      },
      read: (result) => ({ rows: this.#reader.read(result, columns, undefined), affectedRows: result.affectedRows }),
    }
  }

  #statement(label: string, { sql, names }: SqlStatementText, values: Readonly<Record<string, unknown>>): Statement {
    const missing = names.filter((name) => !Object.hasOwn(values, name) || values[name] === undefined)
    if (missing.length > 0) {
      const issues = [...new Set(missing)].map((name) => ({ path: [name], message: 'expected a value, got undefined' }))
      throw new ValidationError(label, 'input', issues)
    }
    return { sql, parameters: names.map((name) => this.#bind(values[name])), exactIntegers: true }
  }
}

const READS = ['select', 'with', 'values', 'table', 'show', 'explain', 'describe', 'pragma']
const WRITES = ['insert', 'update', 'delete', 'merge', 'into']

/** A word too many takes it for a write, which costs a read a little; `for update` locks rows, and needs the writer's place too. */
function isRead(tokens: readonly SqlToken[]): boolean {
  const words = tokens.filter((token) => isSignificant(token) && token.kind === 'word').map(({ text }) => text.toLowerCase())
  return READS.includes(words[0] ?? '') && !words.some((word) => WRITES.includes(word))
}

function refusal(message: string): ConfigurationError {
  return new ConfigurationError('sql', message)
}
