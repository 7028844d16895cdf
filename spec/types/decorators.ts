// Checked in both modes: by spec/tsconfig.json with legacy decorators, by decorator-modes.spec.ts with standard ones.
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import {
  belongsTo,
  createdAt,
  deletedAt,
  field,
  hasMany,
  hasOne,
  id,
  manyToMany,
  model,
  polymorphic,
  updatedAt,
  version,
} from '../../decorators/index.js'
import type { GeneratedJson, Json, Many, One, OneOf } from '../../lib/model/row-types.js'

type Email = string & { readonly brand: 'email' }

@model({ indexes: [{ on: ['plain', 'day'] }], uniques: [{ on: ['exact'] }] })
export class Kinds {
  @id() id!: Generated<number>
  @field.text() plain!: string
  @field.text({ maxLength: 320, unique: true }) branded!: Email
  @field.varchar(20, { minLength: 1, redacted: true }) short!: string
  @field.integer({ check: { $gte: 0 } }) whole!: number
  @field.bigint() long!: bigint
  @field.bigint({ as: 'number' }) longNumber!: number
  @field.bigint({ as: 'string', nullable: true }) longText!: string | null
  @field.float() real!: number
  @field.decimal({ precision: 12, scale: 2 }) exact!: string
  @field.boolean() flag!: boolean
  @field.date() day!: string
  @field.time() clock!: string
  @field.timestamp() instant!: Date
  @field.timestamp({ precision: 6 }) fineInstant!: string
  @field.uuid() uuid!: string
  @field.json() settings!: Json<{ theme: string }>
  @field.json({ nullable: true }) extras!: Json<unknown[]> | null
  @field.json({ default: {} }) flags!: GeneratedJson<Record<string, boolean>>
  @field.bytes() blob!: Uint8Array
  @field.enum(['draft', 'live']) state!: 'draft' | 'live'
  @field.oneOf(['draft', 'live']) sameState!: 'draft' | 'live'
  @field.array('text') tags!: string[]
  @field.array({ kind: 'decimal', precision: 9, scale: 3 }) prices!: readonly string[]
  @field.array({ kind: 'enum', values: ['a', 'b'] }) letters!: ('a' | 'b')[]
  @createdAt() createdAt!: Generated<Date>
  @updatedAt() updatedAt!: GeneratedAlways<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
}

class Money {
  constructor(readonly cents: bigint) {}
}

const MONEY = { type: 'bigint', encode: (money: Money) => money.cents, decode: (cents: bigint) => new Money(cents) } as const

export class Custom {
  @id.custom(MONEY) key!: Money
  @field.custom(MONEY) price!: Money
  @field.custom({ ...MONEY, ordered: true, unique: true, check: { $gte: new Money(0n) } }) floor!: Money
  @field.custom({ ...MONEY, nullable: true }) tax!: Money | null
  @field.custom({ ...MONEY, default: () => new Money(0n) }) fee!: Generated<Money>
  @field.custom({ type: { kind: 'bigint', as: 'string' }, encode: String, decode: (text) => Number(text) }) count!: number
  @field.custom({ type: { kind: 'array', of: { kind: 'text' } }, encode: (set: Set<string>) => [...set], decode: (list) => new Set(list) })
  tags!: Set<string>
  @field.custom({ type: 'json', encode: (point: [number, number]) => point, decode: (json) => json as [number, number] })
  point!: [number, number]

  // @ts-expect-error decode gives Money
  @field.custom(MONEY) a!: bigint
  // @ts-expect-error the column holds null too
  @field.custom({ ...MONEY, nullable: true }) b!: Money
  // @ts-expect-error a default is of the field's type
  @field.custom({ ...MONEY, default: 0n }) c!: Generated<Money>
  // @ts-expect-error a date is stored from a string
  @field.custom({ type: 'date', encode: (day: Date) => day, decode: (text) => new Date(text) }) d!: Date
  // @ts-expect-error there is no such type
  @field.custom({ ...MONEY, type: 'money' }) e!: Money
  // @ts-expect-error nothing says how it is read
  @field.custom({ type: 'text', encode: (money: Money) => String(money.cents) }) f!: Money
}

export class NullAndDefault {
  @field.text({ nullable: true }) nullable!: string | null
  @field.text({ nullable: true }) nullableGenerated!: Generated<string | null>
  @field.text({ default: 'x' }) withDefault!: string
  @field.text({ default: () => 'x' }) generated!: Generated<string>
  @field.timestamp({ defaultSql: 'now()' }) bySql!: Generated<Date>
  @field.integer({ defaultSql: '1' }) bySqlAlone!: GeneratedAlways<number>
  @field.enum(['a', 'b'], { default: 'a' }) letter!: Generated<'a' | 'b'>
  @field.integer({ default: 1, nullable: true }) both!: Generated<number | null>
  @field.text() neverUpdated!: ColumnType<string, string, never>

  // @ts-expect-error a nullable column gives null
  @field.text({ nullable: true }) a!: string
  // @ts-expect-error a column that is not nullable never gives null
  @field.text() b!: string | null
  // @ts-expect-error nothing generates a value
  @field.text() c!: Generated<string>
  // @ts-expect-error nothing generates a value
  @field.integer() d!: GeneratedAlways<number>
  // @ts-expect-error a row has null, never undefined
  @field.text() e?: string
  // @ts-expect-error a row has null, never undefined
  @field.text({ nullable: true }) f?: string | null
  // @ts-expect-error any says nothing that could be held to
  @field.text() g!: ReturnType<typeof JSON.parse>
}

export class WrongTypes {
  // @ts-expect-error text is a string
  @field.text() a!: number
  // @ts-expect-error integer is a number
  @field.integer() b!: string
  // @ts-expect-error bigint is a bigint unless said
  @field.bigint() c!: number
  // @ts-expect-error as: 'string' makes it a string
  @field.bigint({ as: 'string' }) d!: bigint
  // @ts-expect-error decimal is a string: a number would round
  @field.decimal({ precision: 12, scale: 2 }) e!: number
  // @ts-expect-error a date has no time and is a string
  @field.date() f!: Date
  // @ts-expect-error a timestamp is a Date
  @field.timestamp() g!: string
  // @ts-expect-error a Date holds no microseconds
  @field.timestamp({ precision: 6 }) h!: Date
  // @ts-expect-error a JSON column is declared Json<…>
  @field.json() i!: { theme: string }
  // @ts-expect-error Json<…> is for JSON columns
  @field.text() j!: Json<string>
  // @ts-expect-error the column also gives 'live'
  @field.enum(['draft', 'live']) k!: 'draft'
  // @ts-expect-error the column never gives 'gone'
  @field.enum(['draft', 'live']) l!: 'draft' | 'live' | 'gone'
  // @ts-expect-error the elements are strings
  @field.array('text') m!: number[]
  // @ts-expect-error what is inserted is a string too
  @field.text() n!: ColumnType<string, number, string>
  // @ts-expect-error a relation is no column
  @field.text() o!: One<Kinds>
  // @ts-expect-error create cannot give what the layer makes
  @createdAt() p!: Date
  // @ts-expect-error the counter makes the value
  @id() q!: number
  // @ts-expect-error a 64-bit counter is a bigint unless said
  @id('bigint') r!: Generated<number>
  // @ts-expect-error a deletedAt is null until then
  @deletedAt() s!: Generated<Date>
}

export class WrongPlaces {
  // @ts-expect-error a row has no static part
  @field.text() static a: string
  // @ts-expect-error a method stores nothing
  @field.text() b(): string {
    return ''
  }
}

export class WrongOptions {
  // @ts-expect-error a typing mistake
  @field.text({ nulable: true }) a!: string
  // @ts-expect-error the default is a string
  @field.text({ default: 3 }) b!: string
  // @ts-expect-error the default is one of the values
  @field.enum(['a', 'b'], { default: 'c' }) c!: 'a' | 'b'
  // @ts-expect-error a decimal has digits
  @field.decimal({ precision: 3 }) d!: string
  // @ts-expect-error a check compares with the field's type
  @field.integer({ check: { $gte: '0' } }) e!: number
  // @ts-expect-error a key is never null
  @id.text({ nullable: true }) f!: string | null
  // @ts-expect-error a key is not redacted
  @id.text({ redacted: true }) h!: string
  // @ts-expect-error there is no such counter
  @id('uuid4') g!: Generated<string>
}

export class Keys {
  @id.text({ maxLength: 2 }) text!: string
  @id.integer() integer!: number
  @id.bigint() bigint!: bigint
  @id.uuid({ defaultSql: 'gen_random_uuid()' }) uuid!: Generated<string>
  @id.date() date!: string
  @id.enum(['a', 'b']) letter!: 'a' | 'b'
  @id.decimal({ precision: 9, scale: 0 }) decimal!: string
  @id('bigint', { as: 'string' }) counted!: Generated<string>
  @id('uuid7') made!: Generated<string>
  @id('uuid7') madeOrGiven!: string
}

// @ts-expect-error an index is on fields of the model
@model({ indexes: [{ on: ['nmae'] }] })
export class WrongIndex {
  @field.text() name!: string
}

export class Author {
  @id() id!: Generated<number>
  @field.text() name!: string
  @hasMany(() => Book, 'authorId') books!: Many<Book>
  @hasMany(() => Book, ['editorId']) edited!: Many<Book>
  @hasOne(() => Book, 'authorId') first!: One<Book> | null
  @manyToMany(() => Book, { through: () => Signing, foreignKey: 'authorId', otherKey: 'bookId' }) signed!: Many<Book>

  // @ts-expect-error the target has no such field
  @hasMany(() => Book, 'writerId') a!: Many<Book>
  // @ts-expect-error many rows
  @hasMany(() => Book, 'authorId') b!: One<Book>
  // @ts-expect-error rows of another model
  @hasMany(() => Book, 'authorId') c!: Many<Signing>
  // @ts-expect-error there may be no such row
  @hasOne(() => Book, 'authorId') d!: One<Book>
  // @ts-expect-error `through` has no such field
  @manyToMany(() => Book, { through: () => Signing, foreignKey: 'authorId', otherKey: 'volumeId' }) e!: Many<Book>
  // @ts-expect-error a plain class type would be read as the rows of a column
  @hasMany(() => Book, 'authorId') f!: Book[]
}

export class Book {
  @id() id!: Generated<number>
  @field.integer() authorId!: number
  @field.integer({ nullable: true }) editorId!: number | null
  @belongsTo(() => Author, 'authorId') author!: One<Author>
  @belongsTo(() => Author, { foreignKey: 'editorId', onDelete: 'setNull' }) editor!: One<Author> | null
  @belongsTo(() => Author, { foreignKey: 'authorId', constraint: false, references: 'id' }) mayBeGone!: One<Author> | null

  // @ts-expect-error the key is a field of this model
  @belongsTo(() => Author, 'writerId') a!: One<Author>
  // @ts-expect-error where the key is null there is no author
  @belongsTo(() => Author, 'editorId') b!: One<Author>
  // @ts-expect-error one row
  @belongsTo(() => Author, 'authorId') c!: Many<Author>
  // @ts-expect-error the target has no such field
  @belongsTo(() => Author, { foreignKey: 'authorId', references: 'key' }) d!: One<Author>
  // @ts-expect-error there is no such action
  @belongsTo(() => Author, { foreignKey: 'authorId', onDelete: 'forget' }) e!: One<Author>
}

export class Remark {
  @id() id!: Generated<number>
  @field.integer({ nullable: true }) authorId!: number | null
  @field.integer({ nullable: true }) bookId!: number | null
  @field.integer() shopId!: number
  @belongsTo(() => Author, 'authorId') author!: One<Author> | null
  @belongsTo(() => Book, 'bookId') book!: One<Book> | null
  @belongsTo(() => Author, 'shopId') shop!: One<Author>
  @hasMany(() => Book, 'authorId') books!: Many<Book>
  @polymorphic(['author', 'book']) subject!: OneOf<{ author: Author; book: Book }>
  @polymorphic(['author', 'book']) mayBeGone!: OneOf<{ author: Author; book: Book }> | null
  @polymorphic(['book', 'author'], { nullable: true }) optional!: OneOf<{ author: Author; book: Book }> | null

  // @ts-expect-error there may be none
  @polymorphic(['author', 'book'], { nullable: true }) a!: OneOf<{ author: Author; book: Book }>
  // @ts-expect-error there is no such relation
  @polymorphic(['author', 'boek']) b!: OneOf<{ author: Author; boek: Book }>
  // @ts-expect-error a field is no relation
  @polymorphic(['author', 'bookId']) c!: OneOf<{ author: Author; bookId: Book }>
  // @ts-expect-error a relation to many
  @polymorphic(['author', 'books']) d!: OneOf<{ author: Author; books: Book }>
  // @ts-expect-error every row has a shop
  @polymorphic(['author', 'shop']) e!: OneOf<{ author: Author; shop: Author }>
  // @ts-expect-error it may be a book too
  @polymorphic(['author', 'book']) f!: OneOf<{ author: Author }>
  // @ts-expect-error it is never a shop
  @polymorphic(['author', 'book']) g!: OneOf<{ author: Author; book: Book; shop: Author }>
  // @ts-expect-error the book is a Book
  @polymorphic(['author', 'book']) h!: OneOf<{ author: Author; book: Author }>
  // @ts-expect-error one of several models
  @polymorphic(['author', 'book']) i!: One<Author>
  // @ts-expect-error there is no such option
  @polymorphic(['author', 'book'], { nulable: true }) j!: OneOf<{ author: Author; book: Book }>
}

export class Signing {
  @id.integer() authorId!: number
  @id.integer() bookId!: number
}
