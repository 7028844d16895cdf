import { afterEach, describe, expect, it } from 'vitest'
import { InvalidValueError, type Row, type UpdateInput } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { Tally } from './models.js'
import { useDatabase } from './use-database.js'

type Numbers = Partial<Row<Tally>>

const LONG = '123456789012345678901234567890123456.78'

const EXACT: readonly (readonly [before: Numbers, set: UpdateInput<Tally>, after: Numbers])[] = [
  [{ small: 5 }, { small: { $increment: 3 } }, { small: 8 }],
  [{ small: 5 }, { small: { $decrement: 8 } }, { small: -3 }],
  [{ small: 5 }, { small: { $multiply: -3 } }, { small: -15 }],
  [{ small: 2 ** 31 - 2 }, { small: { $increment: 1 } }, { small: 2 ** 31 - 1 }],
  [{ small: null }, { small: { $increment: 3 } }, { small: null }],
  [{ big: 2n ** 53n }, { big: { $increment: 1n } }, { big: 2n ** 53n + 1n }],
  [{ big: 2n ** 53n + 1n }, { big: { $multiply: 3n } }, { big: 3n * (2n ** 53n + 1n) }],
  [{ big: -(2n ** 63n) + 1n }, { big: { $decrement: 1n } }, { big: -(2n ** 63n) }],
  [{ big: 1n }, { big: { $increment: 2n ** 53n + 1n } }, { big: 2n ** 53n + 2n }],
  [{ safe: Number.MAX_SAFE_INTEGER - 1 }, { safe: { $increment: 1 } }, { safe: Number.MAX_SAFE_INTEGER }],
  [{ long: '9007199254740993' }, { long: { $increment: '9007199254740993' } }, { long: '18014398509481986' }],
  [{ ratio: 0.1 }, { ratio: { $increment: 0.2 } }, { ratio: 0.1 + 0.2 }],
  [{ ratio: 1 / 3 }, { ratio: { $multiply: 0.1 } }, { ratio: (1 / 3) * 0.1 }],
  [{ ratio: 1e300 }, { ratio: { $decrement: -1e300 } }, { ratio: 2e300 }],
  [{ price: '9.50' }, { price: { $increment: '0.01' } }, { price: '9.51' }],
  [{ price: '0.10' }, { price: { $decrement: '0.30' } }, { price: '-0.20' }],
  [{ price: LONG }, { price: { $increment: '0.01' } }, { price: '123456789012345678901234567890123456.79' }],
  [
    { price: '41152263004115226300411522630041152.26' },
    { price: { $multiply: '3' } },
    { price: '123456789012345678901234567890123456.78' },
  ],
  // a product has more digits than the column: a half goes away from zero
  [{ price: '0.01' }, { price: { $multiply: '0.50' } }, { price: '0.01' }],
  [{ price: '-0.01' }, { price: { $multiply: '0.50' } }, { price: '-0.01' }],
  [{ price: '0.01' }, { price: { $multiply: '0.49' } }, { price: '0.00' }],
  [{ price: '1.00' }, { price: { $multiply: '0' } }, { price: '0.00' }],
  [
    { small: 1, big: 2n, price: '3.00' },
    { small: { $increment: 1 }, big: { $decrement: 1n }, price: '7.00' },
    { small: 2, big: 1n, price: '7.00' },
  ],
]

const TOO_LARGE: readonly (readonly [before: Numbers, set: UpdateInput<Tally>])[] = [
  [{ small: 2 ** 31 - 1 }, { small: { $increment: 1 } }],
  [{ small: -(2 ** 31) }, { small: { $decrement: 1 } }],
  [{ small: 2 ** 20 }, { small: { $multiply: 2 ** 20 } }],
  [{ big: 2n ** 63n - 1n }, { big: { $increment: 1n } }],
  [{ big: 2n ** 62n }, { big: { $multiply: -3n } }],
  [{ long: '9223372036854775807' }, { long: { $increment: '1' } }],
  [{ ratio: Number.MAX_VALUE }, { ratio: { $multiply: 10 } }],
  [{ price: `${'9'.repeat(36)}.99` }, { price: { $increment: '0.01' } }],
  [{ price: `${'9'.repeat(36)}.99` }, { price: { $multiply: '10' } }],
]

function named([before, set]: readonly [Numbers, UpdateInput<Tally>, ...unknown[]]): string {
  const bare = (value: unknown) => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))
  return `${bare(before)} changed by ${bare(set)}`
}

forEachEngine((engine) => {
  const house = useDatabase(engine, { tallies: Tally })
  const tallies = () => house.nodes.tallies

  afterEach(async () => {
    await tallies().bulkDelete({ all: true })
  })

  describe('a number in the database', () => {
    it.each(EXACT.map((each) => [named(each), ...each] as const))('is exact: %s', async (_name, before, set, after) => {
      const made = await tallies().create({ id: 1, ...before })
      expect(await tallies().update({ where: { id: 1 }, set })).toStrictEqual({ ...made, ...after })
      await tallies().create({ id: 2, ...before })
      expect(await tallies().bulkUpdate({ where: { id: { $in: [2] } }, set })).toEqual({ count: 1 })
      expect(await tallies().read({ where: { id: 2 } })).toStrictEqual({ ...made, ...after, id: 2 })
    })

    it.each(TOO_LARGE.map((each) => [named(each), ...each] as const))('is never out of range: %s', async (_name, before, set) => {
      const made = await tallies().create({ id: 1, ...before })
      await expect(tallies().update({ where: { id: 1 }, set })).rejects.toThrow(InvalidValueError)
      await expect(tallies().bulkUpdate({ all: true, set })).rejects.toThrow(InvalidValueError)
      expect(await tallies().read({ where: { id: 1 } })).toStrictEqual(made)
    })

    it('grows by what an upsert says where the row is there', async () => {
      const upsert = () =>
        tallies().upsert({
          on: ['id'],
          values: { id: 1, big: 2n ** 53n, price: '0.10' },
          update: { big: { $increment: 1n }, price: { $increment: '0.20' } },
        })
      expect(await upsert()).toMatchObject({ outcome: 'created', row: { big: 2n ** 53n, price: '0.10' } })
      expect(await upsert()).toMatchObject({ outcome: 'updated', row: { big: 2n ** 53n + 1n, price: '0.30' } })
      expect(await upsert()).toMatchObject({ outcome: 'updated', row: { big: 2n ** 53n + 2n, price: '0.50' } })
    })

    it('loses no step of twenty taken at once', async () => {
      await tallies().create({ id: 1, small: 0, big: 0n })
      const step = () => tallies().update({ where: { id: 1 }, set: { small: { $increment: 1 }, big: { $increment: 2n } } })
      await Promise.all(Array.from({ length: 20 }, step))
      expect(await tallies().read({ where: { id: 1 } })).toMatchObject({ small: 20, big: 40n })
    })

    it('takes the key itself by another key or not at all', async () => {
      await tallies().create({ id: 1 })
      const moved = tallies().update({ where: { id: 1 }, set: { id: { $increment: 5 } } })
      if (engine.name === 'mysql') await expect(moved).rejects.toMatchObject({ code: 'UNSUPPORTED' })
      else expect(await moved).toMatchObject({ id: 6 })
      expect(await tallies().count({ where: { id: engine.name === 'mysql' ? 1 : 6 } })).toBe(1)
    })
  })
})
