import type { Generated } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createdAt, deletedAt, field, id, model, updatedAt, version } from '../../decorators/index.js'
import { ModelError } from '../../lib/errors.js'
import { definitionOf } from '../../lib/model/define-model.js'
import type { GeneratedJson, Json } from '../../lib/model/row-types.js'

@model()
class Sample {
  @id.text({ maxLength: 9 }) code!: string
  @field.text() text!: string
  @field.varchar(20, { minLength: 2 }) varchar!: string
  @field.integer() integer!: number
  @field.bigint({ as: 'string' }) bigint!: string
  @field.float() float!: number
  @field.decimal({ precision: 9, scale: 2 }) decimal!: string
  @field.boolean() boolean!: boolean
  @field.date() date!: string
  @field.time() time!: string
  @field.timestamp({ precision: 6 }) timestamp!: string
  @field.uuid() uuid!: string
  @field.json({ default: { theme: 'dark' } }) json!: GeneratedJson<{ theme: string }>
  @field.bytes() bytes!: Uint8Array
  @field.enum(['a', 'b'], { native: true, name: 'letter' }) enum!: 'a' | 'b'
  @field.oneOf(['a', 'b']) oneOf!: 'a' | 'b'
  @field.array('text') texts!: string[]
  @field.array({ kind: 'varchar', length: 3 }, { nullable: true }) varchars!: string[] | null
  @field.custom({ type: { kind: 'bigint', as: 'number' }, encode: (day: Date) => Number(day), decode: (ms) => new Date(ms) }) custom!: Date
}

describe('field', () => {
  it('has a decorator for each kind', () => {
    expect(Object.fromEntries(definitionOf(Sample).fields.map(({ name, type }) => [name, type]))).toEqual({
      code: { kind: 'varchar', length: 9 },
      text: { kind: 'text' },
      varchar: { kind: 'varchar', length: 20 },
      integer: { kind: 'integer' },
      bigint: { kind: 'bigint' },
      float: { kind: 'float' },
      decimal: { kind: 'decimal', precision: 9, scale: 2 },
      boolean: { kind: 'boolean' },
      date: { kind: 'date' },
      time: { kind: 'time' },
      timestamp: { kind: 'timestamp', precision: 6 },
      uuid: { kind: 'uuid' },
      json: { kind: 'json' },
      bytes: { kind: 'bytes' },
      enum: { kind: 'enum', name: 'letter', values: ['a', 'b'], native: true },
      oneOf: { kind: 'enum', name: 'samples_one_of', values: ['a', 'b'], native: false },
      texts: { kind: 'array', of: { kind: 'text' } },
      varchars: { kind: 'array', of: { kind: 'varchar', length: 3 } },
      custom: { kind: 'bigint' },
    })
  })

  it('hands its options on', () => {
    const made = () => 'x'
    @model()
    class Note {
      @id.integer() id!: number
      @field.text({ column: 'title', comment: 'shown first', renamedFrom: 'heading', nullable: true }) name!: string | null
      @field.text({ default: made }) slug!: Generated<string>
      @field.timestamp({ defaultSql: 'now()' }) at!: Generated<Date>
    }
    expect(definitionOf(Note).fields.slice(1)).toMatchObject([
      { column: 'title', comment: 'shown first', renamedFrom: 'heading', nullable: true, default: undefined },
      { default: { kind: 'function', create: made } },
      { default: { kind: 'sql', sql: 'now()' } },
    ])
  })

  it('refuses a bare @field() where no type was written down, and says what to write', () => {
    class Guess {
      @id() id!: Generated<number>
    }
    field()(Guess.prototype, 'size' as never)
    expect(() => model()(Guess)).toThrow(/field "size": the compiler says nothing of its type; name the kind, such as @field\.text\(\)/)
  })

  it.each([
    [String, 'text'],
    [Boolean, 'boolean'],
    [Date, 'timestamp'],
    [BigInt, 'bigint'],
    [Uint8Array, 'bytes'],
  ])('takes the kind of a bare @field() from the type that the compiler wrote down: %o', (designType, kind) => {
    class Note {
      @id() id!: Generated<number>
    }
    Reflect.defineMetadata('design:type', designType, Note.prototype, 'body')
    field({ unique: kind === 'text' })(Note.prototype, 'body' as never)
    model()(Note)
    expect(definitionOf(Note).fieldByName.get('body')).toMatchObject({ type: { kind }, nullable: false })
    expect(definitionOf(Note).uniques).toHaveLength(kind === 'text' ? 1 : 0)
  })

  it.each([
    [Number, '@field.integer() or @field.float()'],
    [Object, 'too little'],
  ])('refuses a bare @field() whose type was written down as %o', (designType, advice) => {
    class Note {
      @id() id!: Generated<number>
    }
    Reflect.defineMetadata('design:type', designType, Note.prototype, 'size')
    field()(Note.prototype, 'size' as never)
    expect(() => model()(Note)).toThrow(advice)
  })

  it('refuses to stand without brackets', () => {
    class Note {}
    const bare = [field, id, createdAt, updatedAt, version, deletedAt] as unknown as ((...place: unknown[]) => unknown)[]
    for (const decorator of bare) {
      expect(() => decorator(Note.prototype, 'at')).toThrow(/field "at": write @\w+\(\), with brackets/)
      expect(() => decorator(undefined, { kind: 'field', name: 'at', access: {} })).toThrow(ModelError)
    }
  })
})

describe('id', () => {
  it('is counted by the database, or made here', () => {
    @model()
    class Counted {
      @id() id!: Generated<number>
    }
    @model()
    class CountedLong {
      @id('bigint', { column: 'nr', as: 'string' }) id!: Generated<string>
    }
    @model()
    class Made {
      @id('uuid7') id!: Generated<string>
    }
    expect(definitionOf(Counted).fields).toMatchObject([{ type: { kind: 'integer' }, default: { kind: 'increment' } }])
    expect(definitionOf(CountedLong).fields).toMatchObject([{ column: 'nr', bigintMode: 'string', default: { kind: 'increment' } }])
    const [made] = definitionOf(Made).fields
    expect(made).toMatchObject({ type: { kind: 'uuid' }, default: { kind: 'function' } })
    expect((made!.default as { create: () => unknown }).create()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  })

  it('is natural, and composite in order of declaration', () => {
    @model()
    class Price {
      @id.enum(['eur', 'usd']) currency!: 'eur' | 'usd'
      @field.decimal({ precision: 9, scale: 2 }) amount!: string
      @id.date() day!: string
    }
    expect(definitionOf(Price).primaryKey).toEqual(['currency', 'day'])
  })
})

describe('the fields the layer keeps', () => {
  it('carry their roles', () => {
    @model()
    class Note {
      @id() id!: Generated<number>
      @field.json() body!: Json<string[]>
      @createdAt({ column: 'made' }) createdAt!: Generated<Date>
      @updatedAt({ index: true }) updatedAt!: Generated<Date>
      @version() version!: Generated<number>
      @deletedAt() deletedAt!: Generated<Date | null>
    }
    const { roles, indexes } = definitionOf(Note)
    expect(roles).toMatchObject({
      createdAt: { column: 'made', type: { kind: 'timestamp', precision: 3 }, nullable: false },
      updatedAt: { column: 'updated_at', nullable: false },
      version: { type: { kind: 'integer' }, default: { kind: 'value', value: 1 } },
      deletedAt: { nullable: true, default: undefined },
    })
    expect(indexes.map(({ on }) => on)).toEqual([['updatedAt']])
  })
})
