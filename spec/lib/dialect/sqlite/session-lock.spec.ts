import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { LockSession } from '../../../../lib/dialect/dialect.js'
import { sqliteDialect } from '../../../../lib/dialect/sqlite/index.js'
import { poolOptions } from '../../../../lib/pool/pool-options.js'
import { LockProcess } from '../../../contract/lock-processes.js'
import { rejectionOf } from '../../../contract/use-database.js'
import { freshFolder, openSqlite, otherProcess } from './sqlite-fixture.js'

describe('openLockSession on SQLite', () => {
  const sessions: LockSession[] = []
  const processes: LockProcess[] = []
  afterEach(async () => {
    await Promise.all([...sessions.splice(0).map((each) => each.close()), ...processes.splice(0).map((each) => each.kill())])
  })
  const freshFile = () => join(freshFolder(), 'shop.db')
  const open = async (file: string) => {
    const session = await sqliteDialect({ engine: 'sqlite', file }).openLockSession(poolOptions(), deadlineAfter(1_000))
    sessions.push(session)
    return session
  }
  const start = (program: string, ...parameters: string[]) => {
    const started = new LockProcess(program, ...parameters)
    processes.push(started)
    return started
  }
  const folderOf = (file: string) => `${file}-latchwork-locks`
  const filesOf = (file: string) => (existsSync(folderOf(file)) ? readdirSync(folderOf(file)) : [])
  const endings = (file: string) =>
    filesOf(file)
      .map((name) => name.replace(/^.*\./, ''))
      .sort()

  it('keeps its files beside the database while it is open, and leaves nothing', async () => {
    const file = freshFile()
    const [one, other] = [await open(file), await open(file)]
    await one.tryLock('a')
    await other.tryLock('b')
    expect(endings(file)).toEqual(['db', 'db', 'json', 'json', 'lock', 'lock'])
    await one.unlock('a')
    await one.close()
    expect(endings(file)).toEqual(['db', 'json', 'lock'])
    await other.close()
    expect(existsSync(folderOf(file))).toBe(false)
    // the database itself was not touched
    expect(existsSync(file)).toBe(false)
  })

  it('leaves no lock that nobody can free, though it is closed while it takes some', async () => {
    const file = freshFile()
    for (let round = 0; round < 300; round++) {
      const closed = await open(file)
      const taking = closed.tryLock(`lock ${round}`).catch(() => false)
      for (let turn = 0; turn <= round % 4; turn++) await new Promise(setImmediate)
      await Promise.all([closed.close(), taking])
      const next = await open(file)
      expect(await next.tryLock(`lock ${round}`)).toBe(true)
      await next.close()
    }
  })

  it('holds up nobody who writes to the database', async () => {
    const sqlite = await openSqlite()
    await (await open(sqlite.file)).tryLock('a')
    await sqlite.run('write', 'create table item (id integer)')
    await sqlite.run('write', 'insert into item values (1)')
    expect(await sqlite.read('select id from item')).toEqual([1])
    const writer = otherProcess(sqlite.file, "database.exec('insert into item values (2)'); say('wrote')")
    await writer.hear('wrote')
  })

  it('is one lock for all paths that lead to the file', async () => {
    const file = freshFile()
    writeFileSync(file, '')
    const path = join(freshFolder(), 'linked.db')
    symlinkSync(file, path)
    await (await open(file)).tryLock('a')
    expect(await (await open(path)).tryLock('a')).toBe(false)
  })

  it('is that lock before the file is made too, by a link to a link, in a folder that is one', async () => {
    const file = freshFile()
    const folder = join(freshFolder(), 'linked')
    const path = join(freshFolder(), 'shop.db')
    symlinkSync(dirname(file), folder)
    symlinkSync(join('.', 'shop.db'), join(dirname(file), 'relative.db'))
    symlinkSync(join(folder, 'relative.db'), path)
    await (await open(path)).tryLock('a')
    writeFileSync(file, '')
    expect(await (await open(path)).tryLock('a')).toBe(false)
    expect(await (await open(file)).tryLock('a')).toBe(false)
  })

  it('clears away what a killed process left, its locks and its files', async () => {
    const file = freshFile()
    const killed = start('holds.ts', `sqlite:${file}`, 'a')
    await killed.prints('held')
    await killed.kill()
    expect(endings(file)).toEqual(['db', 'json', 'lock'])
    const session = await open(file)
    expect(endings(file)).toEqual(['db', 'json'])
    expect(await session.tryLock('a')).toBe(true)
  })

  it('takes the lock of a process that is killed while others ask for it, and only once', async () => {
    const file = freshFile()
    const killed = start('holds.ts', `sqlite:${file}`, 'a')
    await killed.prints('held')
    const askers = await Promise.all([1, 2, 3].map(() => open(file)))
    await killed.kill()
    const answers = await Promise.all(askers.map((session) => session.tryLock('a')))
    const deadline = deadlineAfter(1_000)
    // one that looks whether the holder lives keeps the others from finding out, for a moment
    while (!answers.includes(true) && performance.now() < deadline) {
      for (const [index, session] of askers.entries()) answers[index] = await session.tryLock('a')
    }
    expect(answers.filter(Boolean)).toEqual([true])
    expect(endings(file)).toEqual(['db', 'db', 'db', 'json', 'json', 'json', 'lock'])
  })

  it('gives no number twice to processes that are killed anywhere while they open, lock and close', { timeout: 60_000 }, async () => {
    const file = freshFile()
    const folder = freshFolder()
    await writeFile(join(folder, 'number'), '0')
    const begin = () => start('dies.ts', file, 'a', folder)
    const running = [begin(), begin(), begin()]
    await Promise.all(running.map((each) => each.prints('ready')))
    for (let round = 0; round < 5; round++) {
      await sleep(100 + Math.random() * 100)
      const next = begin()
      await next.prints('ready')
      await running.shift()!.kill()
      running.push(next)
    }
    await Promise.all(running.map((each) => each.kill()))
    const drawn = (await readFile(join(folder, 'drawn'), 'utf8')).trim().split('\n').map(Number)
    expect(drawn.length).toBeGreaterThan(20)
    expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b))
    const last = await open(file)
    expect(await last.tryLock('a')).toBe(true)
    await last.unlock('a')
    await last.close()
    // one that was killed before it wrote its note is cleared away when it is old
    expect(filesOf(file).filter((name) => !name.endsWith('.db'))).toEqual([])
  })

  it('clears away the database of a process that was killed before it wrote its note, once it is old', async () => {
    const file = freshFile()
    mkdirSync(folderOf(file))
    writeFileSync(join(folderOf(file), 'young.db'), '')
    writeFileSync(join(folderOf(file), 'old.db'), '')
    const longAgo = Date.now() / 1_000 - 120
    utimesSync(join(folderOf(file), 'old.db'), longAgo, longAgo)
    await open(file)
    expect(filesOf(file)).toContain('young.db')
    expect(filesOf(file)).not.toContain('old.db')
  })

  it.skipIf(!existsSync('/proc/self/fd'))('keeps no descriptor of those whom it asked whether they live', async () => {
    const file = freshFile()
    const [one, other] = [await open(file), await open(file)]
    await one.tryLock('a')
    const descriptors = () => readdirSync('/proc/self/fd').length
    await other.tryLock('a')
    const before = descriptors()
    for (let round = 0; round < 300; round++) expect(await other.tryLock('a')).toBe(false)
    expect(descriptors()).toBeLessThanOrEqual(before + 2)
    // what it looked into is still locked
    expect(await (await open(file)).tryLock('a')).toBe(false)
  })

  it('notices that its files were removed', async () => {
    const file = freshFile()
    const session = await open(file)
    await session.tryLock('a')
    await session.ping()
    rmSync(folderOf(file), { recursive: true })
    const removed = { code: 'CONNECTION_LOST', message: expect.stringContaining('somebody removed files') }
    expect(await rejectionOf(session.ping())).toMatchObject(removed)
    expect(await rejectionOf(session.unlock('a'))).toMatchObject(removed)
    expect(await rejectionOf(session.tryLock('b'))).toMatchObject(removed)
    await session.close()
  })

  it('leaves the lock alone that another took after its own files were removed', async () => {
    const file = freshFile()
    const [one, other] = [await open(file), await open(file)]
    await one.tryLock('a')
    rmSync(folderOf(file), { recursive: true })
    const third = await open(file)
    expect(await third.tryLock('a')).toBe(true)
    await expect(one.unlock('a')).rejects.toThrow('somebody removed files')
    await Promise.all([one.close(), other.close()])
    expect(await (await open(file)).tryLock('a')).toBe(false)
  })

  it('refuses a lock whose file is something else', async () => {
    const file = freshFile()
    const session = await open(file)
    await session.tryLock('a')
    const lock = filesOf(file).find((name) => name.endsWith('.lock'))!
    await session.unlock('a')
    for (const content of ['', 'null', '[]', '{"session":1}']) {
      writeFileSync(join(folderOf(file), lock), content)
      expect(await rejectionOf(session.tryLock('a'))).toMatchObject({
        code: 'CONNECTION',
        message: expect.stringContaining('is not the file of a lock'),
      })
    }
    expect(await session.tryLock('b')).toBe(true)
  })

  it('refuses a lock whose owner has no database any more: nobody can tell whether it lives', async () => {
    const file = freshFile()
    const [one, other] = [await open(file), await open(file)]
    await one.tryLock('a')
    const owner = JSON.parse(await readFile(join(folderOf(file), filesOf(file).find((name) => name.endsWith('.lock'))!), 'utf8'))
    rmSync(join(folderOf(file), `${owner.session}.db`))
    expect(await rejectionOf(other.tryLock('a'))).toMatchObject({ message: expect.stringContaining('whose files were removed') })
  })

  it('says why no files can be kept beside the database', async () => {
    const folder = freshFolder()
    expect(await rejectionOf(open(join(folder, 'nowhere', 'shop.db')))).toMatchObject({
      code: 'CONNECTION',
      message: expect.stringMatching(/cannot keep locks beside ".*" \(ENOENT\)/),
    })
    const file = join(folder, 'shop.db')
    writeFileSync(folderOf(file), 'not a folder')
    expect(await rejectionOf(open(file))).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('cannot keep locks in') })
  })

  it.each([':memory:', ':memory:shop'])('refuses %s, which no other process sees', async (file) => {
    expect(await rejectionOf(open(file))).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('use a file') })
  })
})
