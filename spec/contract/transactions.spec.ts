import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigurationError,
  type IsolationLevel,
  ReadOnlyError,
  ScopeClosedError,
  TransactionAbortedError,
  UnawaitedQueryError,
  UniqueViolationError,
  ValidationError,
} from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const memberOf = (name: string, more: object = {}) => ({ email: `${name}@example.com`, ...more })

forEachEngine((engine) => {
  describe('transaction', () => {
    const shop = useDatabase(engine, models)
    const create = (name: string, more: object = {}) => shop.nodes.members.create(memberOf(name, more))
    const names = async () => {
      const { rows } = await shop.nodes.members.list({ orderBy: { email: 'asc' } }, { select: ['email'] })
      return rows.map(({ email }) => email.split('@')[0])
    }
    const taken = (name: string) => rejectionOf(create(name))

    beforeEach(() => shop.clear())

    it('gives what its callback gives, and keeps what was written', async () => {
      expect(await shop.db.transaction(async () => (await create('ada')).email)).toBe('ada@example.com')
      expect(await names()).toEqual(['ada'])
    })

    it('may be one in which nothing runs', async () => {
      expect(await shop.db.transaction(async () => 'nothing')).toBe('nothing')
      const failing = async () => Promise.reject(new Error('mine'))
      expect(await rejectionOf(shop.db.transaction(failing))).toMatchObject({ message: 'mine' })
      expect(await rejectionOf(shop.db.transaction(() => shop.db.transaction(failing)))).toMatchObject({ message: 'mine' })
      expect(await shop.db.transaction(() => shop.db.transaction(names), { isolation: 'serializable' })).toEqual([])
    })

    it('throws what its callback throws, and keeps nothing', async () => {
      const reason = new RangeError('changed my mind')
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await create('ada')
          throw reason
        }),
      )
      expect(error).toBe(reason)
      expect(await names()).toEqual([])
    })

    it.each(
      [0, 1, 2, 3, 4, 5].flatMap((level) =>
        ['before', 'after'].flatMap((side) => [false, true].map((isNested) => ({ level, side, isNested }))),
      ),
    )(
      'keeps nothing where $side its write at level $level it is thrown, each level in a savepoint: $isNested',
      async ({ level, side, isNested }) => {
        const reason = new Error('mine')
        const at = async (depth: number): Promise<void> => {
          if (depth === level && side === 'before') throw reason
          await create(`level${depth}`)
          if (depth === level) throw reason
          await sleep(0)
          await (isNested ? shop.db.transaction(() => at(depth + 1)) : at(depth + 1))
        }
        expect(await rejectionOf(shop.db.transaction(() => at(0)))).toBe(reason)
        expect(await names()).toEqual([])
      },
    )

    it('rolls back for a callback that throws before it has awaited anything, and for one that is not async', async () => {
      const error = await rejectionOf(
        shop.db.transaction(() => {
          throw new RangeError('at once')
        }),
      )
      expect(error).toBeInstanceOf(RangeError)
      expect(await shop.db.transaction((() => 3) as never)).toBe(3)
      expect(await create('ada')).toMatchObject({ version: 1 })
    })

    it('is joined by node calls however deep, across timers, microtasks and events', async () => {
      const deep = async (depth: number): Promise<void> => {
        await [() => sleep(1), () => Promise.resolve(), () => new Promise(setImmediate)][depth % 3]!()
        await create(`deep${depth}`)
        if (depth < 5) await deep(depth + 1)
      }
      await rejectionOf(
        shop.db.transaction(async () => {
          await deep(0)
          expect(await shop.nodes.members.count()).toBe(6)
          throw new Error('undo')
        }),
      )
      expect(await names()).toEqual([])
    })

    it('shows what it has written to itself, and to nobody outside before it commits', async () => {
      const outside = shop.another()
      await shop.db.transaction(async () => {
        await create('ada')
        expect(await shop.nodes.members.count()).toBe(1)
        expect(await outside.nodes.members.count()).toBe(0)
      })
      expect(await outside.nodes.members.count()).toBe(1)
    })

    it('nests as a savepoint: what fails inside is undone, what is around it stays', async () => {
      await shop.db.transaction(async () => {
        await create('ada')
        const inner = await rejectionOf(
          shop.db.transaction(async () => {
            await create('bob')
            await create('ada')
          }),
        )
        expect(inner).toBeInstanceOf(UniqueViolationError)
        await create('cleo')
        await shop.db.transaction(async () => {
          await create('dora')
          await rejectionOf(shop.db.transaction(async () => Promise.reject(await create('eve'))))
          await create('finn')
        })
      })
      expect(await names()).toEqual(['ada', 'cleo', 'dora', 'finn'])
    })

    it('undoes nested transactions that went well with the one around them', async () => {
      await rejectionOf(
        shop.db.transaction(async () => {
          await shop.db.transaction(() => create('ada'))
          throw new Error('undo')
        }),
      )
      expect(await names()).toEqual([])
    })

    it('keeps nothing, and says so, where an error was swallowed that the engine does not get over', async () => {
      const swallowing = shop.db.transaction(async () => {
        await create('ada')
        expect(await taken('ada')).toBeInstanceOf(UniqueViolationError)
      })
      if (engine.name !== 'postgres') {
        await swallowing
        expect(await names()).toEqual(['ada'])
        return
      }
      const error = await rejectionOf(swallowing)
      expect(error).toBeInstanceOf(TransactionAbortedError)
      expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED', cause: { code: 'UNIQUE_VIOLATION' } })
      expect(await names()).toEqual([])
    })

    it('is not harmed by input that is refused before any SQL', async () => {
      await shop.db.transaction(async () => {
        await create('ada')
        expect(await rejectionOf(shop.nodes.members.create({ email: 5 } as never))).toBeInstanceOf(ValidationError)
        expect(await rejectionOf(shop.nodes.members.create(memberOf('bob'), { signal: AbortSignal.abort() }))).toMatchObject({
          code: 'ABORTED',
        })
        await create('cleo')
      })
      expect(await names()).toEqual(['ada', 'cleo'])
    })

    it('takes parallel calls one by one, each with its own result', async () => {
      const emails = await shop.db.transaction(async () => {
        const rows = await Promise.all(Array.from({ length: 30 }, (_, index) => create(`parallel${index}`)))
        return rows.map(({ email }) => email)
      })
      expect(emails).toEqual(Array.from({ length: 30 }, (_, index) => `parallel${index}@example.com`))
      expect(await shop.nodes.members.count()).toBe(30)
    })

    it('reports the first error of parallel calls and keeps nothing', async () => {
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await Promise.all([create('ada'), create('ada'), create('bob'), create('cleo')])
        }),
      )
      expect(error).toBeInstanceOf(UniqueViolationError)
      await sleep(20)
      expect(await names()).toEqual([])
    })

    it('keeps parallel nested transactions apart', async () => {
      const nested = (name: string, fails: boolean) =>
        shop.db.transaction(async () => {
          await create(`${name}1`)
          await sleep(Math.random() * 5)
          await create(`${name}2`)
          if (fails) throw new Error('undo')
        })
      await shop.db.transaction(async () => {
        const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => nested(name, index % 2 === 1)))
        expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 3 }, () => ['fulfilled', 'rejected']).flat())
      })
      expect(await names()).toEqual(['a1', 'a2', 'c1', 'c2', 'e1', 'e2'])
    })

    it('refuses to commit over a call that was not awaited, and keeps nothing', async () => {
      let late: Promise<unknown> | undefined
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await create('ada')
          // a nested one is still under way on every engine, however fast its statements are
          late = rejectionOf(shop.db.transaction(() => sleep(5).then(() => create('bob'))))
        }),
      )
      expect(error).toBeInstanceOf(UnawaitedQueryError)
      expect(await late).toBeInstanceOf(ScopeClosedError)
      expect(await names()).toEqual([])
    })

    it('keeps a last call that was not awaited only where it has run by the end of the callback: SQLite is synchronous', async () => {
      let last: Promise<unknown> | undefined
      const outcome = shop.db.transaction(async () => {
        await create('ada')
        last = create('bob').catch(() => undefined)
      })
      if (engine.name === 'sqlite') await outcome
      else expect(await rejectionOf(outcome)).toBeInstanceOf(UnawaitedQueryError)
      await last
      expect(await names()).toEqual(engine.name === 'sqlite' ? ['ada', 'bob'] : [])
    })

    it('refuses a call that comes after its end, wherever it comes from', async () => {
      const fired: Promise<unknown>[] = []
      await shop.db.transaction(async () => {
        await create('ada')
        setTimeout(() => fired.push(rejectionOf(create('timer'))), 15)
        setTimeout(() => fired.push(rejectionOf(shop.db.transaction(() => create('nested')))), 15)
      })
      await sleep(30)
      const errors = await Promise.all(fired)
      expect(errors).toHaveLength(2)
      for (const error of errors) {
        expect(error).toBeInstanceOf(ScopeClosedError)
        expect(error).toMatchObject({ cause: { stack: expect.stringMatching(/begun here[\s\S]*transactions\.spec\.ts/) } })
      }
      expect(await names()).toEqual(['ada'])
    })

    it('refuses a lock that is asked for after its end, and says where it was begun', async () => {
      let end = () => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      const late: Promise<Error>[] = []
      await shop.db.transaction(async () => {
        late.push(rejectionOf(ended.then(() => shop.db.lock('late', () => 1))))
        await shop.db.transaction(async () => void late.push(rejectionOf(ended.then(() => shop.db.lock('nested', () => 1)))))
      })
      end()
      for (const error of await Promise.all(late)) {
        expect(error).toBeInstanceOf(ScopeClosedError)
        expect(error).toMatchObject({ cause: { stack: expect.stringMatching(/begun here[\s\S]*transactions\.spec\.ts/) } })
      }
    })

    it('refuses options on a nested transaction', async () => {
      const error = await rejectionOf(shop.db.transaction(() => shop.db.transaction(() => create('ada'), { readOnly: true })))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ option: 'readOnly' })
    })

    it.each([
      ['an unknown option', { isolated: true }, 'isolated'],
      ['an unknown isolation', { isolation: 'strict; drop table members' }, 'isolation'],
      ['readOnly that is no boolean', { readOnly: 1 }, 'readOnly'],
    ])('refuses %s before it begins', async (_, options, option) => {
      const error = await rejectionOf(shop.db.transaction(() => create('ada'), options as never))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ option })
      expect(await names()).toEqual([])
    })

    it('reads and does not write when it is readOnly', async () => {
      await create('ada')
      expect(await shop.db.transaction(names, { readOnly: true })).toEqual(['ada'])
      expect(await rejectionOf(shop.db.transaction(() => create('bob'), { readOnly: true }))).toBeInstanceOf(ReadOnlyError)
      await create('cleo')
      expect(await names()).toEqual(['ada', 'cleo'])
    })

    const snapshots: readonly [IsolationLevel, boolean][] =
      engine.name === 'sqlite'
        ? [['serializable', true]]
        : [
            ['read committed', false],
            ['repeatable read', true],
            ['serializable', true],
          ]
    it.each(snapshots)('reads at the isolation asked for: %s', async (isolation, keepsSnapshot) => {
      const outside = shop.another()
      await shop.db.transaction(
        async () => {
          expect(await shop.nodes.members.count()).toBe(0)
          // a reader that locks what it reads makes a writer wait
          if (engine.name === 'mysql' && isolation === 'serializable') return
          await outside.nodes.members.create(memberOf('bob'))
          expect(await shop.nodes.members.count()).toBe(keepsSnapshot ? 0 : 1)
        },
        { isolation, readOnly: engine.name === 'sqlite' },
      )
    })

    it('is one of its own database: another database in the same chain goes its own way', async () => {
      const other = shop.another({ pool: { maxConnections: 3 } })
      await rejectionOf(
        shop.db.transaction(
          async () => {
            expect(await shop.nodes.members.count()).toBe(0)
            await other.transaction(async () => {
              await other.nodes.members.create(memberOf('inner'))
              expect(await shop.nodes.members.count()).toBe(0)
            })
            await other.nodes.members.create(memberOf('beside'))
            throw new Error('undo')
          },
          { readOnly: true },
        ),
      )
      expect(await names()).toEqual(['beside', 'inner'])
    })

    it('finishes 50 at once on two connections, with nested calls in each', async () => {
      const few = shop.another({ pool: { maxConnections: 2, share: false, acquireTimeoutMs: 15_000 } })
      const { members, stocks } = few.nodes
      const one = (index: number) =>
        few.transaction(async () => {
          const { id } = await members.create(memberOf(`many${index}`))
          await few.transaction(() => stocks.create({ warehouse: 'w', item: String(index), amount: id }))
          await Promise.all([members.count(), members.read({ where: { id } })])
          await sleep(Math.random() * 3)
          return members.update({ where: { id }, set: { age: index } })
        })
      const rows = await Promise.all(Array.from({ length: 50 }, (_, index) => one(index)))
      expect(rows.map(({ age }) => age)).toEqual(Array.from({ length: 50 }, (_, index) => index))
      expect(await few.nodes.stocks.count()).toBe(50)
    })

    it('leaves a connection that the next caller finds clean, however it ended', async () => {
      const one = shop.another({ pool: { maxConnections: 1, share: false } })
      for (let round = 0; round < 5; round++) {
        await rejectionOf(one.transaction(async () => Promise.reject(await one.nodes.members.create(memberOf('gone')))))
        await one.transaction(() => one.nodes.members.create(memberOf(`stays${round}`)))
        await rejectionOf(one.nodes.members.create(memberOf('stays0')))
      }
      await one.close()
      expect(await names()).toEqual(['stays0', 'stays1', 'stays2', 'stays3', 'stays4'])
    })
  })
})
