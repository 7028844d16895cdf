import { inspect } from 'node:util'
import { createDatabase, type Logger } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { type PoolEvent, poolEvents } from '../../lib/events.js'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { forEachEngine } from '../support/engines.js'
import { freePort } from '../support/throwaway-server.js'
import { models } from './members.js'
import { rejectionOf } from './use-database.js'

const PASSWORD = 'hunter2%/#?&@:secret'
const ENCODED = encodeURIComponent(PASSWORD)
const SECRET = /hunter2/

forEachEngine(
  (engine) => {
    describe('a password', () => {
      const scheme = engine.name === 'postgres' ? 'postgres' : 'mysql'
      const part = { engine: engine.name as 'postgres' | 'mysql', host: '127.0.0.1', user: 'nobody', database: 'shop' }
      const ways: readonly [string, (port: number) => object][] = [
        ['in the URL', (port) => ({ url: `${scheme}://nobody:${ENCODED}@127.0.0.1:${port}/shop` })],
        ['in parts', (port) => ({ connection: { ...part, port, password: PASSWORD } })],
        ['from a function', (port) => ({ connection: { ...part, port, password: () => PASSWORD } })],
        ['from a promise', (port) => ({ connection: { ...part, port, password: async () => PASSWORD } })],
      ]

      it.each(ways)('%s shows in no error, log, event or object', async (_, connect) => {
        const seen: unknown[] = []
        const logger: Logger = { debug: (...line) => seen.push(line), warn: (...line) => seen.push(line) }
        const listen = (event: PoolEvent) => seen.push(event)
        poolEvents.subscribe(listen)
        const db = createDatabase({ ...connect(await freePort()), models, logger, pool: { initSql: [`select '${PASSWORD}'`] } })
        const errors = await Promise.all([
          rejectionOf(db.ping()),
          rejectionOf(db.nodes.members.create({ email: 'ada@example.com' })),
          rejectionOf(db.transaction(() => db.nodes.members.count())),
        ])
        expect(errors.map(({ code }) => code)).toEqual(['CONNECTION', 'CONNECTION', 'CONNECTION'])
        for (const shown of [db, db.nodes, poolRegistry().stats(), seen, ...errors]) expect(everythingIn(shown)).not.toMatch(SECRET)
        await db.close()
        expect(seen.length).toBeGreaterThan(0)
        expect(everythingIn(await rejectionOf(db.ping()))).not.toMatch(SECRET)
        poolEvents.unsubscribe(listen)
      })

      it('that a function fails to give is a typed error', async () => {
        const password = () => {
          throw new Error('the vault is sealed')
        }
        const db = createDatabase({ connection: { ...part, port: await freePort(), password }, models })
        expect(await rejectionOf(db.ping())).toMatchObject({ code: 'CONNECTION' })
        await db.close()
      })

      it('that the server refuses is not in what it is refused with', async () => {
        const fresh = await engine.freshDatabase()
        const url = new URL(fresh.url)
        url.username = 'no_such_user'
        url.password = ENCODED
        const db = createDatabase({ url: url.href, models })
        const error = await rejectionOf(db.ping())
        expect(error).toMatchObject({ code: 'CONNECTION' })
        expect(everythingIn(error)).not.toMatch(SECRET)
        await db.close()
        await fresh.drop()
      })

      it.each([
        `${scheme}://nobody:${ENCODED}@127.0.0.1/shop?sslmode=hunter2`,
        `${scheme}://nobody:${ENCODED}@127.0.0.1:port/shop`,
        `${scheme}://nobody:hunter2%zz@127.0.0.1/shop`,
        `unknown://nobody:${ENCODED}@127.0.0.1/shop`,
        `nobody:${ENCODED}@127.0.0.1/shop`,
      ])('in a URL that is refused does not show: %#', (url) => {
        let error: unknown
        try {
          createDatabase({ url, models })
        } catch (thrown) {
          error = thrown
        }
        expect(error).toMatchObject({ code: 'CONFIGURATION' })
        expect(everythingIn(error)).not.toMatch(SECRET)
      })
    })

    describe('initSql that fails', () => {
      it('is named by its position, and its text does not show', async () => {
        const fresh = await engine.freshDatabase()
        const db = createDatabase({ url: fresh.url, models, pool: { initSql: ['select 1', `select '${PASSWORD}' from nowhere`] } })
        const error = await rejectionOf(db.ping())
        expect(error).toMatchObject({ code: 'CONNECTION' })
        expect(everythingIn(error)).not.toMatch(SECRET)
        await db.close()
        await fresh.drop()
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

/** Everything that a log could print of a value. */
function everythingIn(value: unknown): string {
  const parts = [inspect(value, { depth: 20, showHidden: true, showProxy: true }), String(JSON.stringify(value))]
  for (let each: unknown = value; each instanceof Error; each = each.cause) parts.push(each.message, String(each.stack))
  return parts.join('\n')
}
