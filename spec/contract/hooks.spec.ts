import { createDatabase, deletedAt, field, type Generated, type Hooks, id, model, UniqueViolationError, version } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Guest {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) email!: string
  @field.integer({ nullable: true }) age!: number | null
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
}

@model()
class Note {
  @id() id!: Generated<number>
  @field.text({ maxLength: 200 }) text!: string
}

const models = { guests: Guest, notes: Note } as const
type Nodes = ReturnType<typeof createDatabase<typeof models>>['nodes']

/** What the hooks were told, in their order. */
const told: unknown[] = []
let failing: string | undefined

const note = async (nodes: Nodes, text: string) => {
  await nodes.notes.create({ text })
  if (text === failing) throw new Error(`not ${text}`)
}

const lower = (email: string) => email.toLowerCase()

const hooks: Hooks<typeof models> = {
  guests: {
    create: {
      before: [
        ({ input }) => ({ ...input, email: lower(input.email) }),
        async ({ input, node, model: name, operation, nodes }) => {
          told.push({ node, name, operation, input })
          await note(nodes, `before ${input.email}`)
        },
      ],
      after: [({ output, nodes }) => note(nodes, `made ${output.id} ${output.email}`), ({ output }) => void told.push(output)],
    },
    update: { after: ({ input, output, nodes }) => note(nodes, `update ${Object.keys(input.set).join()} ${output.version}`) },
    delete: { before: ({ nodes }) => note(nodes, 'before delete'), after: ({ output, nodes }) => note(nodes, `gone ${output.email}`) },
    restore: { after: ({ output, nodes }) => note(nodes, `back ${output.email}`) },
    upsert: { after: ({ output, nodes }) => note(nodes, `${output.outcome} ${output.row.email}`) },
    bulkCreate: {
      before: ({ input }) => ({ ...input, rows: [...(input.rows as Iterable<{ email: string }>)].map((row) => ({ ...row, age: 1 })) }),
      after: ({ output, nodes }) => note(nodes, `made ${output.count} ${output.rows?.[0]?.age}`),
    },
    bulkUpdate: { after: ({ output, nodes }) => note(nodes, `changed ${output.count}`) },
    bulkDelete: { after: ({ output, nodes }) => note(nodes, `deleted ${output.count}`) },
    bulkUpsert: { after: ({ output, nodes }) => note(nodes, `upserted ${output.created} ${output.updated}`) },
    claim: { after: ({ output, nodes }) => note(nodes, `claimed ${output.map(({ email }) => email).join()}`) },
  },
}

forEachEngine((engine) => {
  describe('hooks', () => {
    const use = useDatabase(engine, models, { hooks })
    const notes = async () => (await use.nodes.notes.list({ orderBy: { id: 'asc' } })).rows.map(({ text }) => text)

    beforeEach(async () => {
      told.length = 0
      failing = undefined
      await use.clear()
    })

    it('run before and after in their order: the first may give another input, the last see whole rows, whatever is selected', async () => {
      const made = await use.nodes.guests.create({ email: 'Ada@X' }, { select: ['email'] })
      expect(made).toEqual({ email: 'ada@x' })
      const whole = await use.nodes.guests.readOrThrow({ where: { email: 'ada@x' } })
      expect(told).toEqual([{ node: 'GuestCreateNode', name: 'Guest', operation: 'create', input: { email: 'ada@x' } }, whole])
      expect(await notes()).toEqual(['before ada@x', `made ${whole.id} ada@x`])
    })

    it('run for every operation that writes', async () => {
      const { guests } = use.nodes
      const rows = [{ email: 'a' }, { email: 'b' }]
      expect(await guests.bulkCreate({ rows, returning: true }, { select: ['email'] })).toEqual({ count: 2, rows })
      await guests.update({ where: { email: 'a' }, set: { age: 2 } })
      const { id: gone } = await guests.delete({ where: { email: 'a' } })
      await guests.restore({ where: { id: gone } }, { select: ['id'] })
      expect(await guests.upsert({ on: ['email'], values: { email: 'a', age: 3 } }, { select: ['age'] })).toEqual({
        row: { age: 3 },
        outcome: 'updated',
      })
      await guests.bulkUpdate({ all: true, set: { age: 4 } })
      await guests.bulkUpsert({ on: ['email'], rows: [{ email: 'a', age: 5 }, { email: 'c' }] })
      expect(await guests.claim({ where: { age: 5 }, set: { age: 6 } }, { select: ['age'] })).toEqual([{ age: 6 }])
      await guests.bulkDelete({ all: true })
      expect(await notes()).toEqual([
        'made 2 1',
        'update age 2',
        'before delete',
        'gone a',
        'back a',
        'updated a',
        'changed 2',
        'upserted 1 1',
        'claimed a',
        'deleted 3',
      ])
    })

    it('undo the write, and what the others wrote, where one of them throws', async () => {
      const { guests } = use.nodes
      failing = 'before ada'
      expect((await rejectionOf(guests.create({ email: 'Ada' }))).message).toBe('not before ada')
      failing = 'made 2 1'
      await rejectionOf(guests.bulkCreate({ rows: [{ email: 'a' }, { email: 'b' }], returning: true }))
      expect([await guests.count(), await notes()]).toEqual([0, []])
      // and nothing more, in a transaction that goes on
      await use.db.transaction(async () => {
        await guests.upsert({ on: ['email'], values: { email: 'kept' } })
        failing = 'changed 1'
        await rejectionOf(guests.bulkUpdate({ all: true, set: { age: 9 } }))
      })
      expect((await guests.list()).rows.map(({ email, age }) => [email, age])).toEqual([['kept', null]])
      expect(await notes()).toEqual(['created kept'])
    })

    it('are undone with the write that fails, or with the transaction around it', async () => {
      const { guests } = use.nodes
      await guests.create({ email: 'ada' })
      const before = await notes()
      expect(await rejectionOf(guests.create({ email: 'ADA' }))).toBeInstanceOf(UniqueViolationError)
      await rejectionOf(
        use.db.transaction(async () => {
          await guests.create({ email: 'bob' })
          throw new Error('undone')
        }),
      )
      expect(await notes()).toEqual(before)
    })

    it('have their input checked like any other, and the options too', async () => {
      const { guests } = use.nodes
      const other = use.another({ hooks: { guests: { create: { before: ({ input }) => ({ ...input, emial: 'x' }) } } } })
      expect(await rejectionOf(other.nodes.guests.create({ email: 'x' }))).toMatchObject({ code: 'UNKNOWN_FIELD', field: 'emial' })
      expect(await rejectionOf(guests.create({ email: 'x' }, { select: ['emial'] } as never))).toMatchObject({ code: 'UNKNOWN_FIELD' })
      expect(await rejectionOf(guests.bulkUpdate({ all: true, set: { age: 1 } }, { select: ['id'] } as never))).toMatchObject({
        code: 'UNKNOWN_FIELD',
      })
      expect(await rejectionOf(guests.create({ email: 'x' }, { timeoutMs: -1 }))).toMatchObject({ code: 'VALIDATION' })
      const rows = [{ email: 'x' }]
      expect(await rejectionOf(guests.bulkCreate({ rows }, { transaction: false }))).toMatchObject({ code: 'VALIDATION' })
      expect(await guests.count()).toBe(0)
    })

    it('cannot change the input that they are given in place', async () => {
      const changed: string[] = []
      const inPlace = (change: (input: never) => unknown) => ({
        before: ({ input }: { input: unknown }) => {
          change(input as never)
          changed.push('changed')
        },
      })
      const other = use.another({
        hooks: {
          guests: {
            create: inPlace((input: { email: string }) => Object.assign(input, { email: 'x' })),
            update: inPlace(({ set }: { set: { age: number } }) => Object.assign(set, { age: 99 })),
            bulkCreate: inPlace(({ rows }: { rows: { email: string }[] }) => Object.assign(rows[0]!, { email: 'x' })),
            bulkUpsert: inPlace(({ rows }: { rows: object[] }) => rows.pop()),
            bulkDelete: inPlace(({ where }: { where: object }) => Object.assign(where, { age: 1 })),
          },
        } as never,
      })
      const { guests } = other.nodes
      await use.nodes.guests.create({ email: 'kept' })
      const row = { email: 'ada' }
      const calls = [
        () => guests.create(row),
        () => guests.update({ where: { email: 'kept' }, set: { age: 1 } }),
        () => guests.bulkCreate({ rows: [row] }),
        () => guests.bulkUpsert({ on: ['email'], rows: [row] }),
        () => guests.bulkDelete({ where: { email: 'ada' } }),
      ]
      for (const call of calls) expect(await rejectionOf(call())).toBeInstanceOf(TypeError)
      expect([row, changed]).toEqual([{ email: 'ada' }, []])
      expect((await use.nodes.guests.list()).rows).toMatchObject([{ email: 'kept', age: null }])
    })

    it('get what another one returned as a frozen copy too', async () => {
      const given = { email: 'ada', age: 1 }
      const frozen: boolean[] = []
      const other = use.another({
        hooks: {
          guests: {
            create: {
              before: [() => given, ({ input }) => void frozen.push(Object.isFrozen(input))],
              after: ({ input }) => void frozen.push(Object.isFrozen(input)),
            },
          },
        },
      })
      expect(await other.nodes.guests.create({ email: 'bob' })).toMatchObject(given)
      expect([frozen, Object.isFrozen(given)]).toEqual([[true, true], false])
    })

    it('count into the time of the call', async () => {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const other = use.another({ hooks: { guests: { create: { after: () => held } } } })
      expect(await rejectionOf(other.nodes.guests.create({ email: 'slow' }, { timeoutMs: 200 }))).toMatchObject({ code: 'QUERY_TIMEOUT' })
      release()
      expect(await use.nodes.guests.count()).toBe(0)
    })

    it('cost a model without them nothing', async () => {
      const plain = use.another({ hooks: {} }).nodes.notes
      // MySQL, unlike MariaDB, gives no row back for what it inserts
      const isMysql = engine.name === 'mysql' && !/mariadb/i.test(String((await engine.admin(use.url, 'select version() as v'))[0]!.v))
      expect(await statementsOf(() => plain.create({ text: 'x' }))).toBe(isMysql ? 2 : 1)
      expect(await statementsOf(() => use.nodes.notes.create({ text: 'x' }))).toBe(isMysql ? 2 : 1)
    })
  })
})

describe('the option hooks', () => {
  it.each<[hooks: object, option: string, message: string]>([
    [{ gests: {} }, 'hooks.gests', 'did you mean guests?'],
    [{ guests: { read: {} } }, 'hooks.guests.read', 'known are create, update'],
    [{ guests: { create: { afer: () => undefined } } }, 'hooks.guests.create.afer', 'did you mean after?'],
    [{ guests: { create: { after: [() => undefined, 'x'] } } }, 'hooks.guests.create.after', 'expected a function, or a list of functions'],
    [{ guests: () => undefined }, 'hooks.guests', 'expected an object'],
    [[], 'hooks', 'expected an object'],
  ])('refuses %j', (given, option, message) => {
    const error = refusalOf(() => createDatabase({ url: 'sqlite::memory:', models, hooks: given as never }))
    expect(error).toMatchObject({ code: 'CONFIGURATION', option })
    expect(error.message).toContain(message)
  })
})

function refusalOf(make: () => unknown): Error {
  try {
    make()
  } catch (error) {
    return error as Error
  }
  throw new Error('expected a refusal')
}
