import { afterEach, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { LockSession } from '../../../../lib/dialect/dialect.js'
import { poolOptions } from '../../../../lib/pool/pool-options.js'
import { endSessions, rejectionOf } from '../../../contract/use-database.js'
import { forEachEngine } from '../../../support/engines.js'
import { Sessions } from './sessions.js'

forEachEngine(
  (engine) => {
    describe('openLockSession', () => {
      const house = new Sessions(engine)
      const sessions: LockSession[] = []
      afterEach(async () => {
        await Promise.all(sessions.splice(0).map((each) => each.close()))
      })
      const open = async (changed: Partial<ServerConnection> = {}, initSql: readonly string[] = []) => {
        const session = await house.dialect(changed).openLockSession(poolOptions({ initSql }), deadlineAfter(5_000))
        sessions.push(session)
        return session
      }

      it('has a lock that no other session can take until it is freed', async () => {
        const [one, other] = [await open(), await open()]
        expect(await one.tryLock('a')).toBe(true)
        expect(await other.tryLock('a')).toBe(false)
        expect(await other.tryLock('b')).toBe(true)
        await one.unlock('a')
        expect(await other.tryLock('a')).toBe(true)
      })

      it('takes names that are longer than the server takes, and differ in capitals alone', async () => {
        const session = await open()
        await session.tryLock('Rechnung:42'.repeat(100))
        const other = await open()
        expect(await other.tryLock('rechnung:42'.repeat(100))).toBe(true)
        expect(await other.tryLock('Rechnung:42'.repeat(100))).toBe(false)
      })

      it('has locks of their own for sessions without a database', async () => {
        const [one, other] = [await open(), await open({ database: undefined as never })]
        expect(await one.tryLock('of a database')).toBe(true)
        expect(await other.tryLock('of a database')).toBe(true)
        expect(await (await open({ database: undefined as never })).tryLock('of a database')).toBe(false)
      })

      it('says who has a lock, and nothing of one that is free', async () => {
        const [one, other] = [await open(), await open()]
        await one.tryLock('a')
        expect(await other.holderOf('a')).toMatch(/^connection \d+ of \w+@\S+$/)
        expect(await other.holderOf('b')).toBeUndefined()
      })

      it('tells that the session was ended, and not that it was closed', async () => {
        const [lost, closed] = [await open(), await open()]
        const told: string[] = []
        const end = new Promise((resolve) => lost.onLost(resolve))
        closed.onLost(() => told.push('closed'))
        await closed.close()
        await endSessions(engine, house.url)
        expect(await end).toMatchObject({ code: 'CONNECTION_LOST' })
        expect(told).toEqual([])
        await expect(lost.tryLock('a')).rejects.toMatchObject({ code: 'CONNECTION' })
      })

      it('refuses to unlock what it does not have', async () => {
        expect(await rejectionOf((await open()).unlock('a'))).toMatchObject({ code: 'CONNECTION_LOST' })
      })

      it('runs no init SQL', async () => {
        const session = await open({}, ['this is no SQL'])
        expect(await session.tryLock('a')).toBe(true)
      })

      it('says why there is no connection', async () => {
        expect(await rejectionOf(open({ port: 1 }))).toMatchObject({
          code: 'CONNECTION',
          message: expect.stringContaining('nothing listens there'),
        })
      })
    })
  },
  { engines: ['mysql'] },
)
