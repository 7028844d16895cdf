import { field, type Generated, id, model } from 'latchwork'

@model()
export class Account {
  @id() id!: Generated<number>
  @field.text({ maxLength: 200, unique: true }) email!: string
}

@model()
export class Workspace {
  @id() id!: Generated<number>
  @field.integer() ownerId!: number
  @field.text({ maxLength: 100, unique: true }) name!: string
}
