import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import {
  createDatabase,
  type Database,
  field,
  type Generated,
  id,
  type Json,
  type Logger,
  model,
  sql,
  TransactionAbortedError,
} from 'latchwork'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nodeEvents, queryEvents, slowQueryEvents } from '../../lib/events.js'
import { warningsDuring } from '../lib/lock/warnings.js'
import { forEachEngine } from '../support/engines.js'
import { Member, Note } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Stands in values that are bound. */
const CANARY = 'canary7f3a'
const PASSWORD = 'hunter2'

@model()
class Badge {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) holder!: string
  @field.text({ maxLength: 50, redacted: true }) pin!: string
  @field.json({ nullable: true, redacted: true }) scans!: Json<Record<string, string>> | null
}

const models = { members: Member, notes: Note, badges: Badge } as const
const ADA = { email: `${CANARY}@example.com` }

type Shop = Database<typeof models>

forEachEngine((engine) => {
  const seen: unknown[] = []
  const logger: Logger = { debug: (...line) => seen.push(line), warn: (...line) => seen.push(line) }
  const shop = useDatabase(engine, models, { logger, slowQueryMs: 1 })
  let debugging: Shop

  beforeEach(async () => {
    debugging ??= shop.another({ debugValues: true })
    await shop.clear()
    await shop.nodes.members.create(ADA)
    seen.length = 0
  })

  const ways: readonly [string, (db: Shop) => Promise<unknown>][] = [
    ['a create', ({ nodes }) => nodes.members.create(ADA)],
    [
      'an update',
      async ({ nodes }) => {
        const { id: other } = await nodes.members.create({ email: randomUUID() })
        await nodes.members.update({ where: { id: other }, set: ADA })
      },
    ],
    [
      'a chunk of a bulk write',
      ({ nodes }) => {
        const rows = Array.from({ length: 1_200 }, (_, index) => (index === 1_100 ? ADA : { email: `${index}@example.com` }))
        return nodes.members.bulkCreate({ rows })
      },
    ],
    ['a chunk that is committed by itself', ({ nodes }) => nodes.members.bulkCreate({ rows: [ADA] }, { transaction: false })],
    [
      'db.kysely',
      async ({ kysely, nodes }) => {
        const { id: _, ...row } = await nodes.members.readOrThrow({ where: ADA })
        await kysely.insertInto('members').values(row).execute()
      },
    ],
    ['a transaction', (db) => db.transaction(() => db.nodes.members.create(ADA))],
    ['a savepoint', (db) => db.transaction(() => db.transaction(() => db.nodes.members.create(ADA)))],
  ]

  describe.each(ways)('an error of %s', (_, provoke) => {
    it('has nothing of its values, unless debugValues is on: then its cause has the SQL and what was bound', async () => {
      const plain = await rejectionOf(provoke(shop.db))
      const told = await rejectionOf(provoke(debugging))
      expect(everythingIn(plain)).not.toContain(CANARY)
      expect(plain.cause).not.toHaveProperty('sql')
      const { sql: text, parameters } = told.cause as { sql: string; parameters: unknown[] }
      expect(text).toMatch(/^(insert into|update) ["`]members["`]/)
      expect(text).not.toContain(CANARY)
      expect(String(parameters)).toContain(ADA.email)
      // all else is the same
      expect(told).toBeInstanceOf(plain.constructor)
      expect([told.message, { ...told }, told.stack!.split('\n')[0]]).toEqual([plain.message, { ...plain }, plain.stack!.split('\n')[0]])
      expect(told.cause).toMatchObject({ ...(plain.cause as object) })
    })
  })

  it('is asked for by one database object, and no other on its pool', async () => {
    const both = [shop.db, debugging]
    const errors = await Promise.all(Array.from({ length: 20 }, (_, n) => rejectionOf(both[n % 2]!.nodes.members.create(ADA))))
    expect([shop.db.poolInfo()?.name, shop.db.poolInfo()?.leases]).toEqual([debugging.poolInfo()?.name, 2])
    expect(errors.map((error) => everythingIn(error).includes(CANARY))).toEqual(errors.map((_, n) => n % 2 === 1))
  })

  it('the cause says what the driver says', async () => {
    const { cause } = await rejectionOf(debugging.nodes.members.create(ADA))
    expect(cause).toMatchObject(
      {
        postgres: {
          code: '23505',
          constraint: 'members_email_key',
          message: 'duplicate key value violates unique constraint "members_email_key"',
          detail: `Key (email)=(${ADA.email}) already exists.`,
        },
        mysql: {
          errno: 1062,
          constraint: 'members_email_key',
          message: expect.stringContaining(`Duplicate entry '${ADA.email}'`),
          sqlMessage: expect.stringContaining(`Duplicate entry '${ADA.email}'`),
        },
        sqlite: { code: 'SQLITE_CONSTRAINT_UNIQUE', message: 'UNIQUE constraint failed: members.email' },
      }[engine.name],
    )
    expect(inspect(cause)).toContain((cause as Error).message)
  })

  it('the cause of a foreign key that is refused says it too', async () => {
    const { cause, fields } = await rejectionOf(debugging.nodes.notes.create({ memberId: 77_123, title: CANARY }))
    expect(fields).toEqual(['memberId'])
    expect(cause).toMatchObject({ sql: expect.stringContaining('insert into'), parameters: expect.arrayContaining([CANARY]) })
    const said = {
      postgres: /^Key \(member_id\)=\(77123\) is not present/,
      mysql: /foreign key constraint fails/,
      sqlite: /^FOREIGN KEY constraint failed$/,
    }
    const { message, detail = message } = cause as { message: string; detail?: string }
    expect(detail).toMatch(said[engine.name])
  })

  it('an error of BEGIN or of SQL without values has the SQL and no values', async () => {
    const { cause } = await rejectionOf(sql.raw('select nothing from nowhere').execute(debugging.kysely))
    expect(cause).toMatchObject({ sql: 'select nothing from nowhere', parameters: [] })
  })

  it('a redacted field has no value among the parameters', async () => {
    const { badges } = debugging.nodes
    const badge = { holder: 'Ada', pin: CANARY, scans: { [CANARY]: CANARY } }
    const others = [{ holder: 'Bob', pin: CANARY }, badge]
    await badges.create(badge)
    await badges.create({ holder: 'Cyd', pin: 'x', scans: { [CANARY]: 'other' } })
    const taken = [
      () => badges.create(badge),
      () => badges.bulkCreate({ rows: others }),
      () => badges.update({ where: { holder: 'Cyd', pin: { $ne: CANARY } }, set: { holder: 'Ada', pin: CANARY } }),
      () =>
        badges.bulkUpdate({
          where: { pin: { $in: ['x', CANARY] }, $or: [{ pin: { $contains: CANARY } }, { holder: 'Cyd' }] },
          set: { holder: 'Eve' },
        }),
      () => badges.bulkUpdate({ where: { holder: 'Cyd', scans: { $path: [CANARY], $ne: CANARY } }, set: { holder: 'Ada' } }),
    ]
    for (const provoke of taken) {
      const { cause } = await rejectionOf(provoke())
      const { parameters } = cause as { parameters: unknown[] }
      expect(parameters).toContain('[redacted]')
      expect(String(parameters)).toMatch(/Ada|Eve/)
      expect(everythingIn(cause)).not.toContain(CANARY)
    }
  })

  it('no event and no log has a value', async () => {
    const channels = [nodeEvents, queryEvents, slowQueryEvents]
    const listen = (event: unknown) => void seen.push(event)
    for (const channel of channels) channel.subscribe(listen)
    const logged = shop.another({ debugValues: true, logger })
    const errors = [
      await rejectionOf(logged.nodes.members.create(ADA)),
      await rejectionOf(logged.nodes.notes.create({ memberId: 77_123, title: CANARY })),
      await rejectionOf(
        logged.transaction(async () => {
          await rejectionOf(logged.nodes.members.create(ADA))
          await logged.nodes.members.count()
          throw new Error('undone')
        }),
      ),
    ]
    for (const channel of channels) channel.unsubscribe(listen)
    await logged.close()
    expect(everythingIn(errors)).toContain(CANARY)
    expect(seen.filter((event) => (event as { error?: unknown }).error !== undefined).length).toBeGreaterThan(3)
    expect(everythingIn(seen)).not.toContain(CANARY)
  })

  if (engine.name === 'sqlite') {
    it('of many rows the cause has the values of the one that was refused', async () => {
      const rows = [
        { memberId: 1, title: 'fine' },
        { memberId: 77_123, title: CANARY },
        { memberId: 1, title: 'not reached' },
      ]
      await engine.admin(shop.url, 'update members set id = 1')
      const { cause } = await rejectionOf(debugging.nodes.notes.bulkCreate({ rows }))
      const { parameters } = cause as { parameters: unknown[] }
      expect(parameters).toEqual(expect.arrayContaining([77_123, CANARY]))
      expect(String(parameters)).not.toMatch(/fine|not reached/)
    })

    it('a wait for the lock of another process that ran out tells of its statement', async () => {
      const db = shop.another({ debugValues: true, pool: { acquireTimeoutMs: 200 } })
      const members = await db.nodes.members.count()
      const other = new BetterSqlite3(shop.url.slice('sqlite:'.length))
      other.exec('begin immediate')
      const error = await rejectionOf(db.nodes.members.create({ email: `${CANARY}2` })).finally(() => other.close())
      expect(error).toMatchObject({
        code: 'LOCK_TIMEOUT',
        cause: { code: 'SQLITE_BUSY', parameters: expect.arrayContaining([`${CANARY}2`]) },
      })
      expect(members).toBe(1)
      await db.close()
    })

    return
  }

  it('a password is in no error, whatever is asked for', async () => {
    const url = new URL(shop.url)
    url.username = 'no_such_user'
    url.password = PASSWORD
    const refused = createDatabase({ url: url.href, models, debugValues: true })
    const failing = shop.another({ debugValues: true, pool: { initSql: [`select '${PASSWORD}' from nowhere`] } })
    for (const db of [refused, failing]) {
      const error = await rejectionOf(db.nodes.members.create(ADA))
      expect(error.code).toBe('CONNECTION')
      expect(everythingIn(error)).not.toContain(PASSWORD)
      await db.close()
    }
  })

  if (engine.name !== 'postgres') return

  it('hint, detail and context of a function are told', async () => {
    const raise = `do $$ begin raise exception 'no ${CANARY}' using detail = 'because', hint = 'try again'; end $$`
    const { cause } = await rejectionOf(sql.raw(raise).execute(debugging.kysely))
    expect(cause).toMatchObject({
      message: `no ${CANARY}`,
      detail: 'because',
      hint: 'try again',
      where: expect.stringContaining('PL/pgSQL function inline_code_block line 1'),
    })
  })

  it('a COMMIT that is refused tells why', async () => {
    await engine.admin(shop.url, 'alter table notes alter constraint notes_member_id_fkey deferrable initially deferred')
    const { cause } = await rejectionOf(debugging.transaction(() => debugging.nodes.notes.create({ memberId: 77_123, title: 'x' })))
    expect(cause).toMatchObject({ sql: 'commit', parameters: [], detail: expect.stringContaining('77123') })
    await engine.admin(shop.url, 'alter table notes alter constraint notes_member_id_fkey not deferrable')
  })

  it('what a transaction failed with first is told behind the error that it ends with', async () => {
    const error = await rejectionOf(debugging.transaction(async () => void (await rejectionOf(debugging.nodes.members.create(ADA)))))
    expect(error).toBeInstanceOf(TransactionAbortedError)
    expect(error.cause).toMatchObject({ code: 'UNIQUE_VIOLATION', cause: { parameters: expect.arrayContaining([ADA.email]) } })
  })
})

describe('the option debugValues', () => {
  const open = (options: object) => () => createDatabase({ url: 'sqlite::memory:', models, ...options })

  it.each([1, 'true', null, {}])('refuses %j', (debugValues) => {
    expect(open({ debugValues })).toThrow(expect.objectContaining({ code: 'CONFIGURATION', option: 'debugValues' }))
  })

  it('is suggested to who misspells it', () => {
    expect(open({ debugValue: true })).toThrow(/did you mean debugValues\?/)
  })

  it('warns of itself in production, once', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const warnings = await warningsDuring(async () => [
      open({})(),
      open({ debugValues: false })(),
      open({ debugValues: true })(),
      open({ debugValues: true })(),
    ])
    vi.unstubAllEnvs()
    expect(warnings).toMatchObject([{ code: 'LATCHWORK_DEBUG_VALUES', name: 'LatchworkWarning' }])
  })
})

/** Everything that a log could print of a value, causes and their causes among it. */
function everythingIn(value: unknown): string {
  return inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
}
