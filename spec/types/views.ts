import type { Generated } from 'kysely'
import { belongsTo, type DatabaseNodes, field, hasOne, id, model, type One, type Row, View } from '../../index.js'
import type { Equal, Holds, Plain } from './equal.js'

@model()
class Shop {
  @id() id!: Generated<number>
  @hasOne(() => Total, 'shopId') total!: One<Total> | null
}

@model()
class Total extends View<'shopId'> {
  @id.integer() shopId!: number
  @field.decimal({ precision: 12, scale: 2 }) total!: string
  @belongsTo(() => Shop, 'shopId') shop!: One<Shop>
}

@model()
class Line extends View {
  @field.text() text!: string
}

export type Rows = Holds<Equal<Plain<Row<Total>>, { shopId: number; total: string }>>

export async function use({ shops, totals, lines }: DatabaseNodes<{ shops: typeof Shop; totals: typeof Total; lines: typeof Line }>) {
  await shops.create({})
  await totals.readOrThrow({ where: { shopId: 1 } }, { include: { shop: true } })
  for await (const { total } of totals.stream()) total.at(0)
  await lines.list({ where: { text: { $startsWith: 'a' } } })

  // @ts-expect-error nor with another row
  await shops.create({ total: { total: '1' } })
  // @ts-expect-error a view is never written
  await totals.create({ shopId: 1, total: '1' })
  // @ts-expect-error nor claimed
  await totals.claim({ all: true, set: { total: '1' } })
  // @ts-expect-error a row without a key cannot be named
  await lines.read({ where: { text: 'a' } })
  // @ts-expect-error nor be found again by a stream
  lines.stream()
}
