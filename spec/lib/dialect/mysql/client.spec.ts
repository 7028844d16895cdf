import { connect } from 'node:net'
import { createConnection } from 'mysql2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client } from '../../../../lib/dialect/mysql/client.js'
import { forEachEngine } from '../../../support/engines.js'
import { Sessions } from './sessions.js'

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let client: Client
    let forgetOnServer: () => void

    beforeEach(async () => {
      const { host, port = 3306 } = sessions.config()
      const stream = connect(port, host)
      const driver = createConnection({ uri: sessions.url, stream, rowsAsArray: true })
      client = new Client(driver, stream)
      await client.connected()
      // past the driver, which goes on with the number that it was given
      const { _statements: prepared } = driver as unknown as { _statements: { values(): Iterable<{ close(): void }> } }
      forgetOnServer = () => {
        for (const statement of prepared.values()) statement.close()
      }
    })
    afterEach(() => client.end())

    describe('a statement that the server has dropped', () => {
      it('is prepared anew and runs once, in a transaction too, which goes on', async () => {
        await client.query('create table dropped (n int)')
        const insert = () => client.execute('insert into dropped values (?)', ['1'])
        await insert()
        await client.query('begin')
        await insert()
        forgetOnServer()
        expect((await insert()).affectedRows).toBe(1)
        await client.query('commit')
        expect((await insert()).affectedRows).toBe(1)
        expect((await client.query('select n from dropped')).rows).toHaveLength(4)
        expect(client.running).toBeUndefined()
      })
    })
  },
  { engines: ['mysql'] },
)
