import type { FieldSpec } from '../../lib/model/field-spec.js'
import type { ModelClass } from '../../lib/model/model-definition.js'
import type { RelationSpec, TableOptions } from '../../lib/model/model-options.js'
import type { TableSchema } from '../../lib/model/schema.js'

/** A model as it will be written. */
export interface ModelPlan {
  readonly table: TableSchema
  /** Of its class. */
  readonly name: string
  /** Of its file, without folder and ending: `order-item`. */
  readonly file: string
  /** The property of each column that it has. */
  readonly propertyOf: ReadonlyMap<string, string>
  readonly fields: readonly PlannedField[]
  readonly options: TableOptions & { readonly table: string }
  readonly relations: readonly PlannedRelation[]
}

export interface PlannedField {
  readonly property: string
  readonly spec: FieldSpec
}

export interface PlannedRelation {
  readonly property: string
  /** `target` is asked for when all models are there. */
  readonly spec: Extract<RelationSpec, { readonly target: unknown }>
  readonly target: ModelName
  /** Its key takes null: there may be none. */
  readonly isOptional: boolean
}

/** A model that is written, or that a person wrote. */
export interface ModelName {
  readonly name: string
  readonly file: string
}

/** A model that a person wrote, in the folder to write to. */
export interface KeptModel extends ModelName {
  readonly model: ModelClass
}
