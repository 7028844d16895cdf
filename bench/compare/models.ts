import { belongsTo, field, type Generated, hasMany, id, type Many, model, type One } from 'latchwork'

/** The tables of the comparison, as a user of latchwork declares them. */
@model({ table: 'users' })
export class User {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 80 }) email!: string
  @field.text({ maxLength: 80 }) name!: string
  @field.integer() age!: number
  @field.boolean() active!: boolean
  @field.timestamp() joinedAt!: Date
  @hasMany(() => Post, 'userId') posts!: Many<Post>
}

@model({ table: 'posts', indexes: [{ on: ['userId'] }] })
export class Post {
  @id() id!: Generated<number>
  @field.integer() userId!: number
  @field.text({ maxLength: 80 }) title!: string
  @field.integer() words!: number
  @field.timestamp() writtenAt!: Date
  @belongsTo(() => User, 'userId') author!: One<User>
}
