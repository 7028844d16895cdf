import type { Generated } from 'kysely'
import { createdAt, deletedAt, field, id, model, updatedAt, version } from '../../index.js'

/** Generated key, defaults of each sort, and everything that the layer keeps. */
@model()
export class Account {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 320 }) email!: string
  @field.integer({ nullable: true }) age!: number | null
  @field.text({ default: 'member' }) rank!: Generated<string>
  @field.text({ default: () => `made ${++madeCodes}` }) code!: Generated<string>
  @field.integer({ defaultSql: '40 + 2' }) answer!: Generated<number>
  @createdAt() createdAt!: Generated<Date>
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
}

let madeCodes = 0

@model()
export class Entry {
  @id('bigint') entryNumber!: Generated<bigint>
  @field.text({ nullable: true }) note!: string | null
}

@model()
export class Token {
  @id('uuid7') token!: Generated<string>
  @field.text({ nullable: true }) note!: string | null
}

@model({ uniques: [{ on: ['groupName', 'seat'] }] })
export class Membership {
  @id.integer() userId!: number
  @id.text({ maxLength: 20 }) groupName!: string
  @field.integer({ column: 'place' }) seat!: number
  @field.text({ nullable: true }) note!: string | null
}

/** Names that are words of SQL, that differ from the column's, and that hold more than letters of ASCII. */
@model({ table: 'order' })
export class Order {
  @id.text({ maxLength: 10, column: 'primary' }) select!: string
  @field.integer({ column: 'group', unique: true }) from!: number
  @field.text({ column: 'two words', nullable: true }) where!: string | null
  @field.integer({ column: 'Ünïted 50% ?', nullable: true }) größe!: number | null
  @field.integer({ column: 'from', nullable: true }) values!: number | null
}

/** A field whose name is another's with a digit behind it. */
@model()
export class Pair {
  @id() id!: Generated<number>
  @field.integer({ nullable: true }) a!: number | null
  @field.integer({ nullable: true }) a0!: number | null
}

@model()
export class Tally {
  @id.integer() id!: number
  @field.integer({ nullable: true }) small!: number | null
  @field.bigint({ nullable: true }) big!: bigint | null
  @field.bigint({ as: 'number', nullable: true }) safe!: number | null
  @field.bigint({ as: 'string', nullable: true }) long!: string | null
  @field.float({ nullable: true }) ratio!: number | null
  @field.decimal({ precision: 38, scale: 2, nullable: true }) price!: string | null
}

/** All of them, by the names that the specs use. */
export const MODELS = {
  accounts: Account,
  entries: Entry,
  tokens: Token,
  memberships: Membership,
  orders: Order,
  pairs: Pair,
  tallies: Tally,
} as const
