import { field, type Generated, id, model } from 'latchwork'

/** The table of the load benchmark. */
@model({ table: 'accounts' })
export class Account {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 80 }) email!: string
  @field.text({ maxLength: 80 }) name!: string
  @field.integer() age!: number
  @field.boolean() active!: boolean
  @field.timestamp() seenAt!: Date
}
