import { type CompiledQuery, Kysely, type QueryResult, SelectQueryNode } from 'kysely'
import type { Dialect, ResultColumn } from '../../dialect/dialect.js'
import { LeasedDriver, refusal } from '../../dialect/leased-driver.js'
import type { BoundModel } from '../bound-model.js'
import type { PlanRunner } from '../query-plan.js'
import type { KnownOutputs } from './name-translator.js'
import { plainBinding } from './plain-binding.js'
import { QueryTranslator } from './query-translator.js'
import { RowReader } from './row-reader.js'

/**
 * Kysely on a database's models: names are model keys and properties, values are of the types that the fields declare, and each
 * query runs on the transaction that the call is in, or on a connection taken for it alone.
 *
 * @param models  by the names that they have in code
 */
export function modelKysely<Tables>(models: ReadonlyMap<string, BoundModel>, dialect: Dialect, runner: PlanRunner): Kysely<Tables> {
  const outputs: KnownOutputs = new WeakMap()
  const translator = new QueryTranslator(models, dialect, outputs)
  return new ModelKysely<Tables>(dialect, translator, compiledRunner(models, dialect, runner, outputs))
}

class ModelKysely<Tables> extends Kysely<Tables> {
  readonly #dialect: Dialect

  constructor(dialect: Dialect, translator: QueryTranslator, run: (query: CompiledQuery) => Promise<QueryResult<unknown>>) {
    super({
      dialect: {
        createDriver: () => new LeasedDriver(dialect.engine, run),
        createQueryCompiler: () => dialect.createQueryCompiler(),
        createAdapter: () => dialect.createAdapter(),
        createIntrospector: (db) => dialect.createIntrospector(db),
      },
      plugins: [{ transformQuery: ({ node }) => translator.translate(node), transformResult: async ({ result }) => result }],
    })
    this.#dialect = dialect
  }

  // the driver refuses both too, but learns of the one at the second query only, and of the other only when there was a first

  override connection(): never {
    throw refusal('connection', this.#dialect.engine)
  }

  override async destroy(): Promise<never> {
    throw refusal('destroy', this.#dialect.engine)
  }
}

/** Runs compiled queries as plans, and reads their results as the queries say. */
function compiledRunner(models: ReadonlyMap<string, BoundModel>, dialect: Dialect, runner: PlanRunner, outputs: KnownOutputs) {
  const bind = plainBinding(dialect)
  const reader = new RowReader(models.values())
  return async ({ query, sql, parameters }: CompiledQuery): Promise<QueryResult<unknown>> => {
    let columns: readonly ResultColumn[] = []
    const known = outputs.get(query)?.list
    return runner.run({
      label: 'db.kysely',
      access: SelectQueryNode.is(query) ? 'read' : 'write',
      statement: { sql, parameters: parameters.map(bind), exactIntegers: true },
      taints: true,
      inspect: async (result) => {
        columns = await result.columns((position, count) => known?.length === count && known[position]?.field !== undefined)
      },
      read: (result) => ({
        rows: reader.read(result, columns, outputs.get(query)),
        numAffectedRows: BigInt(result.affectedRows),
        ...(result.insertId === undefined ? {} : { insertId: BigInt(result.insertId) }),
      }),
    })
  }
}
