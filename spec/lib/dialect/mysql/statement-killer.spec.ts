import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Deadline } from '../../../../lib/deadline.js'
import type { Client } from '../../../../lib/dialect/mysql/client.js'
import { StatementKiller } from '../../../../lib/dialect/mysql/statement-killer.js'
import { ConnectionError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { napQuery } from '../../../support/naps.js'
import { ROUNDS, roundsTimeoutMs } from '../../../support/rounds.js'
import { startTcpProxy } from '../../../support/tcp-proxy.js'
import { acquire, rejection, Sessions } from './sessions.js'

interface Dial {
  readonly deadline: Deadline
  readonly resolve: (client: Client) => void
  readonly reject: (error: Error) => void
}

it('gives each request the time of its own, where the connection that it waits for was begun for another', async () => {
  const dials: Dial[] = []
  const killer = new StatementKiller((deadline) => new Promise((resolve, reject) => dials.push({ deadline, resolve, reject })))
  const sent: string[] = []
  const client = { isBroken: false, query: async (sql: string) => void sent.push(sql), end: async () => undefined }
  const first = rejection(killer.kill('query', 1, () => true))
  await sleep(5)
  const second = killer.kill('query', 2, () => true)
  dials[0]!.reject(new ConnectionError('the time of the first is up'))
  expect(await first).toBeInstanceOf(ConnectionError)
  await expect.poll(() => dials.length).toBe(2)
  expect(dials[1]!.deadline).toBeGreaterThan(dials[0]!.deadline)
  dials[1]!.resolve(client as unknown as Client)
  await second
  expect(sent).toEqual(['kill query 2'])
})

it('leaves the server some time more for requests that it has taken, and holds nobody up for it', async () => {
  const sent: string[] = []
  const answers: (() => void)[] = []
  let isDestroyed = false
  const client = {
    isBroken: false,
    query: (sql: string) => new Promise<void>((resolve) => sent.push(sql) && answers.push(resolve)),
    unref: () => undefined,
    destroy: () => {
      isDestroyed = true
    },
  }
  const killer = new StatementKiller(async () => client as unknown as Client)
  await Promise.all([killer.kill('query', 1, () => true, 50), killer.kill('query', 2, () => true, 50)])
  expect(sent).toEqual(['kill query 1', 'kill query 2'])
  expect(isDestroyed).toBe(false)
  answers[0]!()
  await sleep(5)
  expect(isDestroyed).toBe(false)
  answers[1]!()
  await expect.poll(() => isDestroyed).toBe(true)
})

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    const napping = () =>
      sessions.admin("select id from information_schema.processlist where info like '%to be stopped%' and id <> connection_id()")

    it('stops many statements over a single connection, and leaves it open no longer than that takes', async () => {
      const { host = '127.0.0.1', port = 3306 } = sessions.config()
      const proxy = await startTcpProxy(`mysql://${host}:${port}`)
      const pool = await sessions.openPool({ maxConnections: 10 }, { port: Number(new URL(proxy.url).port) })
      const connections = await Promise.all(Array.from({ length: 10 }, () => acquire(pool)))
      const running = connections.map((connection) =>
        rejection(Promise.resolve(connection.run({ sql: `${napQuery(engine, 10)} /* to be stopped */`, parameters: [] }))),
      )
      await expect.poll(async () => (await napping()).length).toBe(10)
      const before = proxy.accepted
      await Promise.all(connections.map((connection) => connection.cancel()))
      for (const error of await Promise.all(running)) expect(error).toMatchObject({ errno: 1317 })
      expect(proxy.accepted - before).toBe(1)
      await expect.poll(() => proxy.connections).toBe(10)
      await pool.close(100)
      await proxy.close()
    })

    it('stops statements that are only just beginning', { timeout: roundsTimeoutMs(1_000) }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const pool = await sessions.openPool({ maxConnections: 20 })
        const connections = await Promise.all(Array.from({ length: 20 }, () => acquire(pool)))
        const running = connections.map((connection) =>
          rejection(
            Promise.resolve(connection.run({ sql: `${napQuery(engine, 20)} and ? >= 0 /* to be stopped */`, parameters: [round] })),
          ),
        )
        // most of them have been sent by now, and some have begun
        await sleep(round % 4)
        // as a call does that has run out of time
        for (const connection of connections) {
          connection.cancel().catch(() => undefined)
          pool.release(connection, 'broken')
        }
        await Promise.all(running)
        await expect.poll(async () => (await napping()).length, { timeout: 1_000 }).toBe(0)
        await pool.close(100)
      }
    })

    it('gives up on a server that no longer answers, within two seconds', async () => {
      const { host = '127.0.0.1', port = 3306 } = sessions.config()
      const proxy = await startTcpProxy(`mysql://${host}:${port}`)
      const pool = await sessions.openPool({ maxConnections: 1 }, { port: Number(new URL(proxy.url).port) })
      const connection = await acquire(pool)
      const running = rejection(Promise.resolve(connection.run({ sql: `${napQuery(engine, 3)} /* to be stopped */`, parameters: [] })))
      await sleep(50)
      proxy.set({ kind: 'drop' })
      const startedMs = performance.now()
      await rejection(connection.cancel())
      expect(performance.now() - startedMs).toBeLessThan(2_000)
      pool.release(connection, 'broken')
      await running
      await expect.poll(() => proxy.connections).toBe(0)
      await pool.close(100)
      await proxy.close()
    })
  },
  { engines: ['mysql'] },
)
