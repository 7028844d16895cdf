import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, folderOf, idOf } from './draft.js'

/** Leads to a server; cuts a connection at the first statement with a word in it, and lets nobody through again before `after` is done. */
class WordCutter {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isFree: Promise<unknown> | undefined

  constructor(target: URL, word: string, after: () => Promise<unknown>) {
    this.#server = createServer((near) => {
      near.pause()
      void (this.#isFree ?? Promise.resolve()).then(() => {
        const far = connect(Number(target.port), target.hostname)
        const end = () => [near, far].map((socket) => socket.destroy())
        for (const socket of [near, far]) {
          this.#sockets.add(socket)
          socket.on('error', end).on('close', end)
        }
        far.pipe(near)
        near.on('data', (bytes) => {
          if (this.#isFree !== undefined || !bytes.includes(word)) return far.write(bytes)
          end()
          this.#isFree = after()
        })
        near.resume()
      })
    })
  }

  async listen(url: string): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return Object.assign(new URL(url), { port: String((this.#server.address() as AddressInfo).port) }).href
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

const DRAFTS: readonly Draft[] = [
  { slug: 'first', up: ['create table a (id integer primary key)', 'create table cut_here (id integer primary key)'] },
]
const first = idOf(DRAFTS, 'first')

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let cutter: WordCutter

    beforeEach(async () => {
      database = await engine.freshDatabase()
    })

    afterEach(async () => {
      cutter.close()
      await database.drop()
    })

    describe('a run that has lost its lock with its connection', () => {
      it('leaves alone what another process has written since', async () => {
        const folder = await folderOf(DRAFTS)
        const other = createMigrator({ url: database.url, folder, lockTimeoutMs: 10_000 })
        cutter = new WordCutter(new URL(database.url), 'cut_here', () => other.up())
        const error = await createMigrator({ url: await cutter.listen(database.url), folder })
          .up()
          .catch((reason: unknown) => reason)
        expect(error).toMatchObject({ exitCode: 8, failed: { id: first } })
        expect((error as { document: { warnings: string[] } }).document.warnings).toEqual([expect.stringContaining('another process')])
        expect(await other.status()).toMatchObject({ applied: [first], pending: [], failed: [] })
        expect(await other.up()).toMatchObject({ ok: true, applied: [] })
      })
    })
  },
  { engines: ['postgres'] },
)
