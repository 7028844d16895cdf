import {
  belongsTo,
  deletedAt,
  field,
  type Generated,
  hasMany,
  hasOne,
  id,
  type Json,
  type Many,
  manyToMany,
  model,
  type One,
  version,
} from 'latchwork'

/** A natural key of text. */
@model()
export class Country {
  @id.text({ maxLength: 10 }) code!: string
  @field.text({ maxLength: 100 }) name!: string
  @hasMany(() => Writer, 'countryCode') writers!: Many<Writer>
}

@model()
export class Writer {
  @id() id!: Generated<number>
  @field.text({ maxLength: 100, unique: true }) name!: string
  @field.text({ maxLength: 10, nullable: true }) countryCode!: string | null
  @field.integer({ nullable: true }) mentorId!: number | null
  @field.decimal({ precision: 38, scale: 10, default: '0' }) fee!: Generated<string>
  @version() version!: Generated<number>
  @belongsTo(() => Country, { foreignKey: 'countryCode', references: 'code' }) country!: One<Country> | null
  @belongsTo(() => Writer, 'mentorId') mentor!: One<Writer> | null
  @hasMany(() => Writer, 'mentorId') pupils!: Many<Writer>
  @hasMany(() => Article, 'writerId') articles!: Many<Article>
  @hasOne(() => Portrait, 'writerId') portrait!: One<Portrait> | null
}

/** At most one a writer. */
@model()
export class Portrait {
  @id('uuid7') id!: Generated<string>
  @field.integer({ unique: true }) writerId!: number
  @field.bytes() image!: Uint8Array
  @belongsTo(() => Writer, { foreignKey: 'writerId', onDelete: 'cascade' }) writer!: One<Writer>
}

/** Out of sight when it is deleted. */
@model()
export class Article {
  @id('bigint') id!: Generated<bigint>
  @field.integer() writerId!: number
  @field.text({ maxLength: 200 }) title!: string
  @field.integer({ nullable: true }) rating!: number | null
  @field.json({ nullable: true }) details!: Json<{ words: number }> | null
  @field.timestamp({ nullable: true }) publishedAt!: Date | null
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Writer, 'writerId') writer!: One<Writer>
  @manyToMany(() => Topic, { through: () => Tagging, foreignKey: 'articleId', otherKey: ['topicArea', 'topicName'] }) topics!: Many<Topic>
}

/** A key of two fields. */
@model()
export class Topic {
  @id.text({ maxLength: 20 }) area!: string
  @id.text({ maxLength: 20 }) name!: string
  @field.integer({ default: 0 }) weight!: Generated<number>
  @manyToMany(() => Article, { through: () => Tagging, foreignKey: ['topicArea', 'topicName'], otherKey: 'articleId' })
  articles!: Many<Article>
}

/** Between articles and topics; itself out of sight when it is deleted. */
@model()
export class Tagging {
  @id() id!: Generated<number>
  @field.bigint() articleId!: bigint
  @field.text({ maxLength: 20 }) topicArea!: string
  @field.text({ maxLength: 20 }) topicName!: string
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Article, { foreignKey: 'articleId', onDelete: 'cascade' }) article!: One<Article>
  @belongsTo(() => Topic, { foreignKey: ['topicArea', 'topicName'], references: ['area', 'name'] }) topic!: One<Topic>
}

export const models = {
  countries: Country,
  writers: Writer,
  portraits: Portrait,
  articles: Article,
  topics: Topic,
  taggings: Tagging,
} as const
