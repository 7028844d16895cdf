import { belongsTo, createdAt, deletedAt, field, type Generated, id, model, type One, updatedAt, version } from 'latchwork'

/** Two unique keys beside the primary one, and what the layer keeps of a row. */
@model()
export class Member {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 100 }) email!: string
  @field.text({ unique: true, maxLength: 100, nullable: true }) nickname!: string | null
  @field.integer({ nullable: true, check: { $gte: 0 } }) age!: number | null
  @field.decimal({ precision: 12, scale: 2, default: '0.00' }) balance!: Generated<string>
  @field.boolean({ defaultSql: 'true' }) active!: Generated<boolean>
  @createdAt() createdAt!: Generated<Date>
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
}

/** A key of two fields, and nothing that the database makes up. */
@model()
export class Stock {
  @id.text({ maxLength: 50 }) warehouse!: string
  @id.text({ maxLength: 50 }) item!: string
  @field.integer() amount!: number
}

/** Refers to a member, and is only marked when it is deleted; its title stays taken. */
@model({ uniques: [{ on: ['memberId', 'title'], name: 'one_title_a_member', deleted: 'include' }] })
export class Note {
  @id() id!: Generated<number>
  @field.integer() memberId!: number
  @field.text({ maxLength: 100 }) title!: string
  @field.text({ default: '' }) body!: Generated<string>
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Member, { foreignKey: 'memberId' }) member!: One<Member>
}

/** Nothing in it but what the database makes. */
@model()
export class Ticket {
  @id() id!: Generated<number>
}

export const models = { members: Member, stocks: Stock, notes: Note, tickets: Ticket } as const
