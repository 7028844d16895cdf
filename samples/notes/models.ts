import { belongsTo, createdAt, field, type Generated, hasMany, id, type Many, model, type One } from 'latchwork'

@model()
export class Author {
  @id() id!: Generated<number>
  @field.text({ maxLength: 100 }) name!: string
  // added later: the third migration fills it for authors who were there before
  @field.text({ maxLength: 100, nullable: true, unique: true }) handle!: string | null
  @hasMany(() => Note, 'authorId') notes!: Many<Note>
}

@model()
export class Note {
  @id() id!: Generated<number>
  @field.integer() authorId!: number
  @field.text({ maxLength: 1000 }) text!: string
  @createdAt() createdAt!: Generated<Date>
  @belongsTo(() => Author, { foreignKey: 'authorId', onDelete: 'cascade' }) author!: One<Author>
}
