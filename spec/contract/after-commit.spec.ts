import { AfterCommitError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { SerializationError } from '../../lib/errors.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('afterCommit', () => {
    const use = useDatabase(engine, models)
    const tickets = () => use.nodes.tickets

    it('runs work in order, once all is committed and before the transaction settles', async () => {
      const seen: string[] = []
      const note = (what: string) => async () => {
        await Promise.resolve()
        // in no transaction: it sees what everybody sees
        seen.push(`${what} ${await tickets().count()}`)
      }
      const value = await use.db.transaction(async () => {
        await tickets().create({})
        await use.db.afterCommit(note('first'))
        await use.db.transaction(async () => {
          await tickets().create({})
          await use.db.afterCommit(note('second'))
        })
        await use.db.transaction(() => use.db.afterCommit(note('third')), { propagation: 'join' })
        expect(seen).toEqual([])
        return 'done'
      })
      expect(value).toBe('done')
      expect(seen).toEqual(['first 2', 'second 2', 'third 2'])
      await use.clear()
    })

    it('runs work at once where there is no transaction', async () => {
      let ran = false
      await use.db.afterCommit(async () => {
        await tickets().count()
        ran = true
      })
      expect(ran).toBe(true)
      const reason = new Error('mine')
      expect(await rejectionOf(use.db.afterCommit(() => Promise.reject(reason)))).toBe(reason)
    })

    it('drops the work of what was rolled back: a savepoint, an attempt, the whole', async () => {
      const seen: string[] = []
      const note = (what: string) => use.db.afterCommit(() => void seen.push(what))
      await use.db.transaction(async () => {
        await note('kept')
        await rejectionOf(
          use.db.transaction(async () => {
            await note('of a savepoint')
            throw new Error('undo')
          }),
        )
      })
      let attempts = 0
      await use.db.transaction(
        async () => {
          await note(`of attempt ${++attempts}`)
          if (attempts === 1) throw new SerializationError('made up')
        },
        { retry: 'serialization' },
      )
      await rejectionOf(
        use.db.transaction(async () => {
          await note('of the whole')
          throw new Error('undo')
        }),
      )
      expect(seen).toEqual(['kept', 'of attempt 2'])
    })

    it('runs all of the work though some of it fails, and says that the transaction is committed', async () => {
      const seen: string[] = []
      const reasons = [new Error('one'), new Error('two')]
      const outcome = use.db.transaction(async () => {
        const { id } = await tickets().create({})
        for (const reason of reasons) {
          await use.db.afterCommit(() => {
            seen.push(reason.message)
            throw reason
          })
        }
        await use.db.afterCommit(() => void seen.push('three'))
        return id
      })
      const error = (await rejectionOf(outcome)) as unknown as AfterCommitError
      expect(error).toBeInstanceOf(AfterCommitError)
      expect(error).toMatchObject({ code: 'AFTER_COMMIT', retryable: false, errors: reasons, cause: reasons[0] })
      expect(seen).toEqual(['one', 'two', 'three'])
      expect((await tickets().list()).rows).toEqual([{ id: error.value }])
      await use.clear()
    })

    it('may begin transactions of its own, with work after them', async () => {
      const seen: number[] = []
      await use.db.transaction(async () => {
        await use.db.afterCommit(() =>
          use.db.transaction(async () => {
            await tickets().create({})
            await use.db.afterCommit(async () => void seen.push(await tickets().count()))
          }),
        )
      })
      expect(seen).toEqual([1])
      await use.clear()
    })

    if (engine.name !== 'sqlite') {
      it('of a transaction that is new is its own, and runs outside of the one around it', async () => {
        const seen: string[] = []
        const outcome = use.db.transaction(async () => {
          await tickets().create({})
          await use.db.afterCommit(() => void seen.push('outer'))
          await use.db.transaction(
            async () => {
              await tickets().create({})
              await use.db.afterCommit(async () => void seen.push(`inner ${await tickets().count()}`))
            },
            { propagation: 'new' },
          )
          throw new Error('undo')
        })
        await rejectionOf(outcome)
        expect(seen).toEqual(['inner 1'])
        await use.clear()
      })
    }
  })
})
