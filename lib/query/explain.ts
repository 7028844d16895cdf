import type { Statement, StatementResult } from '../dialect/dialect.js'
import { NotFoundError } from '../errors.js'
import { isPlainObject } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'
import { limitsOf } from './call-input.js'
import { ForwardingRunner } from './forwarding-runner.js'
import { InputIssues } from './input-issues.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'
import { rolledBack } from './rolled-back.js'

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

/** What a call would run, in its order. */
export interface Explanation {
  readonly statements: readonly ExplainedStatement[]
}

/** A call that is to be explained. */
export interface ExplainedCall {
  readonly operation: string
  readonly input: unknown
  readonly options: Record<string, unknown>
}

type Run = (runner: PlanRunner, options: unknown) => unknown

/**
 * The plans of the statements that a read would run for this input. It is not run; but with an `include` the rows are read too, for the
 * statements that load what belongs to them take their keys.
 *
 * @throws {ValidationError} `explain` is neither `true` nor `'analyze'`
 * @throws {UnsupportedError} the engine does not measure: `'analyze'` on SQLite
 */
export async function explainRead(model: BoundModel, runner: PlanRunner, call: ExplainedCall, run: Run): Promise<Explanation> {
  const { isMeasured, options } = parseExplain(model, call)
  const isIncluding = options.include !== undefined || (isPlainObject(call.input) && call.input.include !== undefined)
  const explaining = new ExplainingRunner(model, runner, isIncluding ? 'run' : 'skip', isMeasured)
  await foundOrNot(model, call, () => run(explaining, options))
  return { statements: explaining.statements }
}

/**
 * The plans of the statements that a write runs for this input, each asked for just before its statement: which ones there are is only
 * known then. Nothing of it is kept.
 *
 * @throws {ValidationError} `explain` is neither `true` nor `'analyze'`
 * @throws {UnsupportedError} the engine does not measure writes: `'analyze'` on SQLite and MySQL
 * @throws what the write throws; but a row that is not there is no error
 */
export async function explainWrite(model: BoundModel, runner: PlanRunner, call: ExplainedCall, run: Run): Promise<Explanation> {
  const { isMeasured, options } = parseExplain(model, call)
  const explaining = new ExplainingRunner(model, runner, 'keep', isMeasured)
  const work = () => foundOrNot(model, call, () => run(explaining, options))
  await rolledBack(runner, model.labelOf(call.operation), work, limitsOf(options))
  return { statements: explaining.statements }
}

function parseExplain(model: BoundModel, { operation, options: given }: ExplainedCall) {
  const { explain, ...options } = given
  const issues = new InputIssues(model.definition.name, operation)
  if (explain !== true && explain !== 'analyze') issues.add(['options', 'explain'], "expected true or 'analyze'")
  issues.throwIfAny()
  return { isMeasured: explain === 'analyze', options }
}

/** That the call finds no row is no reason to say nothing of its statements. Of calls that a hook makes it is the hook's. */
async function foundOrNot({ definition }: BoundModel, { operation }: ExplainedCall, run: () => unknown): Promise<void> {
  try {
    await run()
  } catch (error) {
    const isOwn = error instanceof NotFoundError && error.model === definition.name && error.operation === operation
    if (!isOwn) throw error
  }
}

const NOTHING_READ: StatementResult = { rows: [], affectedRows: 0, columns: () => [] }

/**
 * What becomes of a statement when its plan is known. `skip`: it is taken to find no row. `run`: it reads its rows. `keep`: it is run, in
 * a transaction, and what measuring it did is undone before.
 */
type Fate = 'skip' | 'run' | 'keep'

/** Asks for the plan of each statement before it, or in place of it. */
class ExplainingRunner extends ForwardingRunner {
  readonly statements: ExplainedStatement[] = []
  readonly #model: BoundModel
  readonly #fate: Fate
  readonly #isMeasured: boolean

  constructor(model: BoundModel, inner: PlanRunner, fate: Fate, isMeasured: boolean) {
    super(inner)
    this.#model = model
    this.#fate = fate
    this.#isMeasured = isMeasured
  }

  override async run<T>(plan: QueryPlan<T>, limits?: CallLimits): Promise<T> {
    const { label, access } = plan
    const { reread, ...statement } = plan.statement
    if (reread !== undefined) {
      const run = (each: Statement) => this.run<StatementResult>({ label, access, statement: each, read: (result) => result }, limits)
      const { affectedRows } = await run(statement)
      return plan.read({ ...(await run(reread)), affectedRows })
    }
    const { planQuestion } = this.#model.dialect
    const { sql, parameters } = statement
    const place = this.statements.push({ sql, plan: undefined }) - 1
    const question = { sql: planQuestion.ask(sql, this.#isMeasured), parameters }
    const ask = async () => this.inner.run({ label, access, statement: question, read: ({ rows }) => rows }, limits)
    const isUndone = this.#isMeasured && access === 'write' && this.#fate === 'keep'
    const answer = await (isUndone ? rolledBack(this.inner, label, ask, limits) : ask())
    this.statements[place] = { sql, plan: planQuestion.read(answer) }
    return this.#fate === 'skip' ? plan.read(NOTHING_READ) : this.inner.run(plan, limits)
  }
}
