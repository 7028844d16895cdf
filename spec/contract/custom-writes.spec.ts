import type { Generated } from 'kysely'
import {
  AuditEntry,
  belongsTo,
  field,
  hasMany,
  IdempotencyKeyReusedError,
  IdempotencyRecord,
  id,
  type Many,
  model,
  type One,
} from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { MONEY, Money } from './money.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Its private part is all that there is of it. */
class Code {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  static read(code: Code): string {
    return code.#text
  }
}

const CODE = { type: { kind: 'varchar', length: 20 }, encode: Code.read, decode: (text: string) => new Code(text) } as const

@model({ audit: true })
class Basket {
  @id.custom(CODE) code!: Code
  @field.custom(MONEY) total!: Money
  @hasMany(() => Piece, 'basketCode') pieces!: Many<Piece>
}

/** Shows the key of its basket as it is stored. */
@model({ audit: true })
class Piece {
  @id() id!: Generated<number>
  @field.varchar(20) basketCode!: string
  @field.custom({ ...MONEY, nullable: true }) price!: Money | null
  @belongsTo(() => Basket, 'basketCode') basket!: One<Basket>
}

const models = { baskets: Basket, pieces: Piece, auditEntries: AuditEntry, idempotencyRecords: IdempotencyRecord }
const basket = () => ({
  code: new Code('b1'),
  total: Money.parse('9.50'),
  pieces: [{ price: Money.parse('9.50') }, { price: null }],
})

forEachEngine((engine) => {
  describe('values of the application’s own types', () => {
    const use = useDatabase(engine, models)
    use.rollBackEach()

    it('are what a row that is made with theirs refers to, however it shows the key', async () => {
      const { code } = await use.nodes.baskets.create(basket())
      expect(Code.read(code)).toBe('b1')
      const { rows } = await use.nodes.pieces.list({ orderBy: { id: 'asc' }, include: { basket: true } })
      expect(rows.map(({ basketCode, price }) => [basketCode, price && String(price)])).toEqual([
        ['b1', '9.50'],
        ['b1', null],
      ])
      expect(String(rows[0]!.basket.total)).toBe('9.50')
    })

    it('are in the audit as they are stored', async () => {
      await use.nodes.baskets.create(basket())
      await use.nodes.baskets.update({ where: { code: new Code('b1') }, set: { total: Money.parse('12.00') } })
      const { rows } = await use.nodes.auditEntries.list({ where: { model: 'Basket' }, orderBy: { id: 'asc' } })
      expect(rows.map(({ rowKey, before, after }) => [rowKey, before, after])).toEqual([
        ['b1', null, { code: 'b1', total: '9.50' }],
        ['b1', { total: '9.50' }, { total: '12.00' }],
      ])
    })

    it('are told apart, and come back, under an idempotency key', async () => {
      const create = (total: string, code = 'b1') =>
        use.nodes.baskets.create(
          { ...basket(), code: new Code(code), total: Money.parse(total) },
          { idempotencyKey: 'k', include: { pieces: { orderBy: { id: 'asc' } } } },
        )
      const first = await create('9.50')
      const again = await create('9.50')
      for (const { code, total, pieces } of [first, again]) {
        expect([Code.read(code), total, pieces.map(({ price }) => price)]).toEqual(['b1', Money.parse('9.50'), [Money.parse('9.50'), null]])
        expect(total).toBeInstanceOf(Money)
      }
      expect(await use.nodes.baskets.count()).toBe(1)
      for (const other of [create('9.51'), create('9.50', 'b2')]) expect(await rejectionOf(other)).toBeInstanceOf(IdempotencyKeyReusedError)
    })
  })
})
