import { belongsTo, field, type Generated, hasMany, id, type Many, model, type One } from 'latchwork'

/** Somebody with posts. */
@model({ table: 'authors' })
export class Author {
  @id() id!: Generated<number>
  @field.text({ maxLength: 80 }) name!: string
  @field.timestamp() joinedAt!: Date
  @hasMany(() => Post, 'authorId') posts!: Many<Post>
}

@model({ table: 'posts' })
export class Post {
  @id() id!: Generated<number>
  @field.integer() authorId!: number
  @field.text({ maxLength: 80 }) title!: string
  @field.integer() words!: number
  @field.timestamp() writtenAt!: Date
  @belongsTo(() => Author, 'authorId') author!: One<Author>
}
