import type { ModelClass } from '../../model/model-definition.js'
import type { Columns } from '../../model/row-types.js'

/** The models as Kysely sees them: tables by their name in code, columns by property. */
export type KyselyTables<M extends Readonly<Record<string, ModelClass>>> = { [K in keyof M & string]: Columns<InstanceType<M[K]>> }
