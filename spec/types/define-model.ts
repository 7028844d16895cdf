import type { Generated } from 'kysely'
import { defineModel } from '../../lib/model/define-model.js'
import type { GeneratedJson, Json, Many, One, OneOf } from '../../lib/model/row-types.js'

class Author {
  id!: Generated<number>
  email!: string
  age!: number | null
  state!: 'draft' | 'live'
  settings!: Json<{ theme: string }>
  flags!: GeneratedJson<string[]>
  balance!: string
  long!: bigint
  tags!: string[]
  createdAt!: Generated<Date>
  deletedAt!: Generated<Date | null>
  books!: Many<Book>
  shout(): string {
    return this.email
  }
}

class Book {
  id!: Generated<string>
  authorId!: number
  author!: One<Author>
}

export const author = defineModel(Author, {
  table: 'authors',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    email: { kind: 'text', maxLength: 320, unique: true },
    age: { kind: 'integer', nullable: true, check: { $gte: 0 } },
    state: { kind: 'enum', values: ['draft', 'live'], default: 'draft' },
    settings: { kind: 'json' },
    flags: { kind: 'json', default: () => [] },
    balance: { kind: 'decimal', precision: 12, scale: 2 },
    long: { kind: 'bigint' },
    tags: { kind: 'array', of: { kind: 'text' } },
    createdAt: { kind: 'timestamp', role: 'createdAt' },
    deletedAt: { kind: 'timestamp', role: 'deletedAt', nullable: true },
  },
  relations: { books: { kind: 'hasMany', target: () => Book, foreignKey: 'authorId' } },
  indexes: [{ on: ['state', 'createdAt'] }],
})

export const book = defineModel(Book, {
  fields: { id: { kind: 'uuid', primary: true, default: () => '' }, authorId: { kind: 'integer' } },
  relations: { author: { kind: 'belongsTo', target: () => Author, foreignKey: 'authorId' } },
})

class Money {
  constructor(readonly cents: bigint) {}
}

class Price {
  id!: Generated<number>
  amount!: Money
}

export const price = defineModel(Price, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    amount: { kind: 'custom', type: 'bigint', encode: (money: Money) => money.cents, decode: (cents: bigint) => new Money(cents) },
  },
})

class Cost {
  id!: Generated<number>
  amount!: Money
}

defineModel(Cost, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    // @ts-expect-error decode gives another type than the property has
    amount: { kind: 'custom', type: 'bigint', encode: (money: Money) => money.cents, decode: (cents: bigint) => cents },
  },
})

class Tag {
  id!: Generated<number>
  name!: string
}
const id = { kind: 'integer', primary: true, increment: true } as const

// @ts-expect-error a property has no field
defineModel(Tag, { fields: { id } })
// @ts-expect-error a field has no property
defineModel(Tag, { fields: { id, name: { kind: 'text' }, label: { kind: 'text' } } })
// @ts-expect-error text is a string
defineModel(Tag, { fields: { id, name: { kind: 'integer' } } })
// @ts-expect-error the property is never null
defineModel(Tag, { fields: { id, name: { kind: 'text', nullable: true } } })
// @ts-expect-error nothing generates the key
defineModel(Tag, { fields: { id: { kind: 'integer', primary: true }, name: { kind: 'text' } } })
// @ts-expect-error the default is a string
defineModel(Tag, { fields: { id, name: { kind: 'text', default: 3 } } })
// @ts-expect-error an index is on fields of the model
defineModel(Tag, { fields: { id, name: { kind: 'text' } }, indexes: [{ on: ['label'] }] })
// @ts-expect-error a typing mistake
defineModel(Tag, { fields: { id, name: { kind: 'text', maxLenght: 3 } } })
// @ts-expect-error a decimal has digits
defineModel(Tag, { fields: { id, name: { kind: 'decimal' } } })
const ofTag = { kind: 'hasMany', target: () => Book, foreignKey: 'authorId' } as const
// @ts-expect-error the model has no relations
defineModel(Tag, { fields: { id, name: { kind: 'text' } }, relations: { books: ofTag } })

const bookFields = { id: { kind: 'uuid', primary: true, defaultSql: 'x' }, authorId: { kind: 'integer' } } as const
// @ts-expect-error a relation is said
defineModel(Book, { fields: bookFields })
// @ts-expect-error One<…> is a belongsTo or hasOne
defineModel(Book, { fields: bookFields, relations: { author: { kind: 'hasMany', target: () => Author, foreignKey: 'id' } } })
// @ts-expect-error the target is another model
defineModel(Book, { fields: bookFields, relations: { author: { kind: 'belongsTo', target: () => Tag, foreignKey: 'authorId' } } })
// @ts-expect-error the key is a field of this model
defineModel(Book, { fields: bookFields, relations: { author: { kind: 'belongsTo', target: () => Author, foreignKey: 'writerId' } } })

class Remark {
  id!: Generated<number>
  authorId!: number | null
  bookId!: string | null
  author!: One<Author> | null
  book!: One<Book> | null
  subject!: OneOf<{ author: Author; book: Book }>
}
const remarkFields = {
  id,
  authorId: { kind: 'integer', nullable: true },
  bookId: { kind: 'uuid', nullable: true },
} as const
const toAuthor = { kind: 'belongsTo', target: () => Author, foreignKey: 'authorId' } as const
const toBook = { kind: 'belongsTo', target: () => Book, foreignKey: 'bookId' } as const
const remarkRelations = { author: toAuthor, book: toBook }

export const remark = defineModel(Remark, {
  fields: remarkFields,
  relations: { ...remarkRelations, subject: { kind: 'polymorphic', of: ['author', 'book'] } },
})
// @ts-expect-error what it chooses among is said
defineModel(Remark, { fields: remarkFields, relations: remarkRelations })
// @ts-expect-error there is no such relation
defineModel(Remark, { fields: remarkFields, relations: { ...remarkRelations, subject: { kind: 'polymorphic', of: ['author', 'boek'] } } })
const optional = { kind: 'polymorphic', of: ['author', 'book'], nullable: true } as const
// @ts-expect-error the property is never null
defineModel(Remark, { fields: remarkFields, relations: { ...remarkRelations, subject: optional } })
// @ts-expect-error OneOf<…> is a choice
defineModel(Remark, { fields: remarkFields, relations: { ...remarkRelations, subject: toAuthor } })
