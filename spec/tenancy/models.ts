import {
  belongsTo,
  deletedAt,
  field,
  type Generated,
  hasMany,
  id,
  type Many,
  manyToMany,
  model,
  type One,
  tenant,
  version,
} from 'latchwork'

/** Not of a tenant: everybody sees it. */
@model()
export class Plan {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) name!: string
  @hasMany(() => Customer, 'planId') customers!: Many<Customer>
}

@model({ uniques: [{ on: ['orgId', 'email'] }] })
export class Customer {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 100 }) email!: string
  /** Unique over all tenants. */
  @field.text({ maxLength: 20, nullable: true, unique: true }) code!: string | null
  @field.integer({ nullable: true }) planId!: number | null
  @field.integer({ default: 0 }) points!: Generated<number>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Plan, 'planId') plan!: One<Plan> | null
  @hasMany(() => Ticket, 'customerId') tickets!: Many<Ticket>
}

@model({ uniques: [{ on: ['orgId', 'number'] }] })
export class Ticket {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer() number!: number
  @field.integer() customerId!: number
  @field.text({ maxLength: 100, default: '' }) text!: Generated<string>
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Customer, { foreignKey: 'customerId', onDelete: 'cascade' }) customer!: One<Customer>
  @manyToMany(() => Word, { through: () => Use, foreignKey: 'ticketId', otherKey: 'wordId' }) words!: Many<Word>
}

/** Not of a tenant; what ties it to tickets is. */
@model()
export class Word {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) word!: string
  @manyToMany(() => Ticket, { through: () => Use, foreignKey: 'wordId', otherKey: 'ticketId' }) tickets!: Many<Ticket>
}

@model()
export class Use {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer() ticketId!: number
  @field.integer() wordId!: number
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Ticket, { foreignKey: 'ticketId', onDelete: 'cascade' }) ticket!: One<Ticket>
  @belongsTo(() => Word, 'wordId') word!: One<Word>
}

export const models = { plans: Plan, customers: Customer, tickets: Ticket, words: Word, uses: Use } as const
