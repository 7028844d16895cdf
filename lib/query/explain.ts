import type { StatementResult } from '../dialect/dialect.js'
import { NotFoundError } from '../errors.js'
import { isPlainObject } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'
import { ForwardingRunner } from './forwarding-runner.js'
import { InputIssues } from './input-issues.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'

/** `true`: the plan alone; `'analyze'`: the statement is run, and what it took is told with its plan. */
export type ExplainMode = true | 'analyze'

/** A statement of a call, and what the engine would do for it. */
export interface ExplainedStatement {
  /** Text with placeholders. */
  readonly sql: string
  /**
   * The engine's own plan. PostgreSQL, MariaDB and MySQL: the object of their EXPLAIN as JSON (`'analyze'` on MySQL: text);
   * SQLite: the steps of EXPLAIN QUERY PLAN, a list of `{ id, parent, detail }`.
   */
  readonly plan: unknown
}

/** What a read would run, in its order. */
export interface Explanation {
  readonly statements: readonly ExplainedStatement[]
}

type Run = (runner: PlanRunner, options: unknown) => unknown

/**
 * The plans of the statements that a read would run for this input. It is not run; but with an `include` the rows are read too, for the
 * statements that load what belongs to them take their keys.
 *
 * @throws {ValidationError} `explain` is neither `true` nor `'analyze'`
 * @throws {UnsupportedError} the engine does not measure: `'analyze'` on SQLite
 */
export async function explainRead(
  model: BoundModel,
  runner: PlanRunner,
  operation: string,
  call: { readonly input: unknown; readonly options: Record<string, unknown> },
  run: Run,
): Promise<Explanation> {
  const { explain, ...options } = call.options
  const issues = new InputIssues(model.definition.name, operation)
  if (explain !== true && explain !== 'analyze') issues.add(['options', 'explain'], "expected true or 'analyze'")
  issues.throwIfAny()
  const isIncluding = options.include !== undefined || (isPlainObject(call.input) && call.input.include !== undefined)
  const explaining = new ExplainingRunner(model, runner, explain === 'analyze', isIncluding)
  try {
    await run(explaining, options)
  } catch (error) {
    // a statement that is not run finds no row
    if (!(error instanceof NotFoundError)) throw error
  }
  return { statements: explaining.statements }
}

const NOTHING_READ: StatementResult = { rows: [], affectedRows: 0, columns: () => [] }

/** Asks for the plan of each statement in place of running it. */
class ExplainingRunner extends ForwardingRunner {
  readonly statements: ExplainedStatement[] = []
  readonly #model: BoundModel
  readonly #isRun: boolean
  readonly #readsRows: boolean

  constructor(model: BoundModel, inner: PlanRunner, isRun: boolean, readsRows: boolean) {
    super(inner)
    this.#model = model
    this.#isRun = isRun
    this.#readsRows = readsRows
  }

  override async run<T>(plan: QueryPlan<T>, limits?: CallLimits): Promise<T> {
    const { planQuestion } = this.#model.dialect
    const { sql, parameters } = plan.statement
    const place = this.statements.push({ sql, plan: undefined }) - 1
    const statement = { sql: planQuestion.ask(sql, this.#isRun), parameters }
    const answer = await this.inner.run({ label: plan.label, access: plan.access, statement, read: ({ rows }) => rows }, limits)
    this.statements[place] = { sql, plan: planQuestion.read(answer) }
    return this.#readsRows ? this.inner.run(plan, limits) : plan.read(NOTHING_READ)
  }
}
