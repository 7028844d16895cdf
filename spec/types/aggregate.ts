import type { Generated, Json, Many, ModelNodes } from '../../index.js'
import type { Equal, Holds } from './equal.js'

class Sale {
  id!: Generated<number>
  country!: string | null
  state!: 'open' | 'paid'
  pieces!: number
  discount!: number | null
  points!: bigint
  total!: string
  isGift!: boolean
  soldAt!: Generated<Date>
  details!: Json<{ note: string }>
  returns!: Many<Sale>
}

declare const sales: ModelNodes<Sale>

/** Uses that the compiler must take. */
export const groups = {
  all: sales.aggregate({ values: { rows: '$count', discounted: { $count: 'discount' }, countries: { $countDistinct: 'country' } } }),
  sums: sales.aggregate({ values: { pieces: { $sum: 'pieces' }, points: { $sum: 'points' }, total: { $sum: 'total' } } }),
  means: sales.aggregate({ values: { pieces: { $avg: 'pieces' }, points: { $avg: 'points' }, total: { $avg: 'total' } } }),
  extremes: sales.aggregate({
    values: {
      first: { $min: 'soldAt' },
      last: { $max: 'soldAt' },
      least: { $min: 'discount' },
      name: { $max: 'country' },
      state: { $min: 'state' },
    },
  }),
  grouped: sales.aggregate({
    where: { isGift: false },
    groupBy: ['country', 'state', 'isGift'],
    values: { rows: '$count', most: { $max: 'points' } },
    having: { rows: { $gt: 1 }, most: { $between: [1n, 2n], $not: { $in: [3n] } } },
    orderBy: { rows: 'desc', country: { direction: 'asc', nulls: 'last' } },
    limit: 10,
    offset: 10,
  }),
}

type Given<K extends keyof typeof groups> = Awaited<(typeof groups)[K]>

export type Rows = [
  Holds<Equal<Given<'all'>, { rows: number; discounted: number; countries: number }[]>>,
  Holds<Equal<Given<'sums'>, { pieces: number | null; points: bigint | null; total: string | null }[]>>,
  Holds<Equal<Given<'means'>, { pieces: number | null; points: number | null; total: number | null }[]>>,
  Holds<
    Equal<
      Given<'extremes'>,
      { first: Date | null; last: Date | null; least: number | null; name: string | null; state: 'open' | 'paid' | null }[]
    >
  >,
  Holds<Equal<Given<'grouped'>, { country: string | null; state: 'open' | 'paid'; isGift: boolean; rows: number; most: bigint | null }[]>>,
]

const values = { rows: '$count', most: { $max: 'points' }, first: { $min: 'soldAt' } } as const

export const refusals = [
  // @ts-expect-error something is computed
  () => sales.aggregate({ groupBy: ['country'] }),
  // @ts-expect-error no such function
  () => sales.aggregate({ values: { middle: { $median: 'pieces' } } }),
  // @ts-expect-error no such field
  () => sales.aggregate({ values: { most: { $max: 'peices' } } }),
  // @ts-expect-error a date has no sum
  () => sales.aggregate({ values: { sum: { $sum: 'soldAt' } } }),
  // @ts-expect-error nor a mean a truth
  () => sales.aggregate({ values: { mean: { $avg: 'isGift' } } }),
  // @ts-expect-error a relation is no field
  () => sales.aggregate({ values: { rows: { $count: 'returns' } } }),
  // @ts-expect-error no field to group by
  () => sales.aggregate({ groupBy: ['contry'], values }),
  // @ts-expect-error nor one to filter by
  () => sales.aggregate({ where: { contry: 'FR' }, values }),
  // @ts-expect-error not computed
  () => sales.aggregate({ values, having: { least: { $gt: 1 } } }),
  // @ts-expect-error a count is a number
  () => sales.aggregate({ values, having: { rows: { $gt: '1' } } }),
  // @ts-expect-error the greatest of bigints is one
  () => sales.aggregate({ values, having: { most: { $gt: 1 } } }),
  // @ts-expect-error the earliest of dates is one
  () => sales.aggregate({ values, having: { first: { $lt: '2024-01-01' } } }),
  // @ts-expect-error no such operator
  () => sales.aggregate({ values, having: { rows: { $greater: 1 } } }),
  // @ts-expect-error a field is no condition on groups
  () => sales.aggregate({ groupBy: ['country'], values, having: { country: { $eq: 'FR' } } }),
  // @ts-expect-error neither computed nor grouped by
  () => sales.aggregate({ groupBy: ['country'], values, orderBy: { state: 'asc' } }),
  // @ts-expect-error nor given
  () => sales.aggregate({ groupBy: ['country'], values }).then(([row]) => row?.state),
]
