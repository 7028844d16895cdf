import { defineModel, type Generated, type Json, type Many, type One } from 'latchwork'

/** Hardly a name in code is the one in the database; what `made_at` is called depends on the table. */
export class User {
  id!: Generated<number>
  email!: string
  active!: boolean
  balance!: string
  createdAt!: Date
  posts!: Many<Post>
}
defineModel(User, {
  table: 'app_users',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    email: { kind: 'text', maxLength: 100, unique: true, column: 'email_address' },
    active: { kind: 'boolean', column: 'is_active' },
    balance: { kind: 'decimal', precision: 12, scale: 2, column: 'balance_amount' },
    createdAt: { kind: 'timestamp', column: 'made_at' },
  },
  relations: { posts: { kind: 'hasMany', target: () => Post, foreignKey: 'authorId' } },
})

export class Post {
  id!: Generated<number>
  authorId!: number
  title!: string
  /** Called as its column is, which is what a user's `createdAt` is in the database. */
  made_at!: Date
  /** Called as another table's property, and stored elsewhere. */
  createdAt!: Date | null
  meta!: Json<{ tags: string[] }> | null
  views!: bigint
  author!: One<User>
}
defineModel(Post, {
  table: 'articles',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    authorId: { kind: 'integer', column: 'user_id' },
    title: { kind: 'text', maxLength: 100 },
    made_at: { kind: 'timestamp' },
    createdAt: { kind: 'timestamp', column: 'published_at', nullable: true },
    meta: { kind: 'json', nullable: true },
    views: { kind: 'bigint' },
  },
  relations: { author: { kind: 'belongsTo', target: () => User, foreignKey: 'authorId' } },
})

/** A field of each kind, each in a column of another name. */
export class Everything {
  id!: Generated<number>
  aText!: string | null
  anInteger!: number | null
  aBigint!: bigint | null
  aSafeBigint!: number | null
  aBigintText!: string | null
  aFloat!: number | null
  aDecimal!: string | null
  aBoolean!: boolean | null
  aDate!: string | null
  aTime!: string | null
  anInstant!: Date | null
  aMicrosecond!: string | null
  aUuid!: string | null
  aJson!: Json<unknown> | null
  someBytes!: Uint8Array | null
  anEnum!: 'open' | 'closed' | null
  texts!: string[] | null
  bigints!: bigint[] | null
}
defineModel(Everything, {
  table: 'everything',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    aText: { kind: 'text', nullable: true, column: 'c_text' },
    anInteger: { kind: 'integer', nullable: true, column: 'c_integer' },
    aBigint: { kind: 'bigint', nullable: true, column: 'c_bigint' },
    aSafeBigint: { kind: 'bigint', as: 'number', nullable: true, column: 'c_safe_bigint' },
    aBigintText: { kind: 'bigint', as: 'string', nullable: true, column: 'c_bigint_text' },
    aFloat: { kind: 'float', nullable: true, column: 'c_float' },
    aDecimal: { kind: 'decimal', precision: 38, scale: 4, nullable: true, column: 'c_decimal' },
    aBoolean: { kind: 'boolean', nullable: true, column: 'c_boolean' },
    aDate: { kind: 'date', nullable: true, column: 'c_date' },
    aTime: { kind: 'time', nullable: true, column: 'c_time' },
    anInstant: { kind: 'timestamp', nullable: true, column: 'c_instant' },
    aMicrosecond: { kind: 'timestamp', precision: 6, nullable: true, column: 'c_microsecond' },
    aUuid: { kind: 'uuid', nullable: true, column: 'c_uuid' },
    aJson: { kind: 'json', nullable: true, column: 'c_json' },
    someBytes: { kind: 'bytes', nullable: true, column: 'c_bytes' },
    anEnum: { kind: 'enum', values: ['open', 'closed'], nullable: true, column: 'c_enum' },
    texts: { kind: 'array', of: { kind: 'text' }, nullable: true, column: 'c_texts' },
    bigints: { kind: 'array', of: { kind: 'bigint' }, nullable: true, column: 'c_bigints' },
  },
})

export const models = { users: User, posts: Post, everything: Everything } as const
