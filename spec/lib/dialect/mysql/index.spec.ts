import { describe, expect, it } from 'vitest'
import { loadDriver } from '../../../../lib/dialect/mysql/driver.js'
import { mysqlDialect } from '../../../../lib/dialect/mysql/index.js'
import { ConfigurationError, DriverMissingError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { Sessions } from './sessions.js'

describe('mysqlDialect', () => {
  it('names its target without a secret', () => {
    expect(mysqlDialect({ engine: 'mysql', database: 'shop', password: 's3cret' }).target).toBe('mysql:127.0.0.1:3306/shop')
    expect(mysqlDialect({ engine: 'mysql', host: '/run/mysqld/mysqld.sock' }).target).toBe('mysql:/run/mysqld/mysqld.sock')
  })

  it('has the same identity whether a default is given or not', () => {
    const given = mysqlDialect({ engine: 'mysql', user: 'ann', host: '127.0.0.1', port: 3306, applicationName: 'latchwork' })
    expect(given.identity).toEqual(mysqlDialect({ engine: 'mysql', user: 'ann' }).identity)
    expect(given.identity).not.toEqual(mysqlDialect({ engine: 'mysql', user: 'ann', password: 'x' }).identity)
  })
})

describe('loadDriver', () => {
  it('tells a package that is not there from one that does not work', async () => {
    const missing = Object.assign(new Error("Cannot find package 'mysql2'"), { code: 'ERR_MODULE_NOT_FOUND' })
    await expect(loadDriver(() => Promise.reject(missing))).rejects.toBeInstanceOf(DriverMissingError)
    await expect(loadDriver(() => Promise.reject(new SyntaxError('x')))).rejects.toBeInstanceOf(ConfigurationError)
    await expect(loadDriver(() => Promise.resolve({ default: {} }))).rejects.toThrow('3.24')
  })
})

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)

    it('begins transactions of the isolation and access asked for', async () => {
      const session = await sessions.open()
      await session.run('create table begun (id int primary key)')
      for (const sql of sessions.dialect().begin({ isolation: 'serializable', readOnly: true })) await session.run(sql)
      await session.run('select * from begun')
      const id = await session.value('select connection_id()')
      const isolation = async () =>
        (
          await sessions.admin(`select trx_isolation_level as level from information_schema.innodb_trx where trx_mysql_thread_id = ${id}`)
        )[0]?.level
      // the view is refreshed ten times a second
      await expect.poll(isolation).toBe('SERIALIZABLE')
      await expect(session.run('insert into begun values (?)', 1)).rejects.toMatchObject({ errno: 1792 })
      await session.run('rollback')
      for (const sql of sessions.dialect().begin({})) await session.run(sql)
      await session.run('insert into begun values (?)', 1)
      await session.run('rollback')
      expect(await session.value('select count(*) from begun')).toBe(0)
    })
  },
  { engines: ['mysql'] },
)
