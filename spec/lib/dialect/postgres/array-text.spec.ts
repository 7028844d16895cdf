import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrayText, parseArrayText } from '../../../../lib/dialect/postgres/array-text.js'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { firstValue, openSession } from './session.js'

// PostgreSQL has no text with NUL in it
const text = fc.string({ unit: 'binary' }).map((given) => given.replaceAll('\0', ''))
const list = fc.array(fc.option(fc.oneof(text, fc.constantFrom('', 'NULL', 'null', '"', '\\', '{', '}', ',', ' a '))))

describe('parseArrayText', () => {
  it('reads lists inside lists', () => {
    expect(parseArrayText('{{1,2},{3,NULL}}', Number)).toStrictEqual([
      [1, 2],
      [3, null],
    ])
    expect(parseArrayText('{{"a}","\\""},{b,c}}')).toStrictEqual([
      ['a}', '"'],
      ['b', 'c'],
    ])
  })

  it('reads a list with bounds of its own', () => {
    expect(parseArrayText('[0:1]={a,b}')).toStrictEqual(['a', 'b'])
  })

  it('comes to an end on a text that was cut off', () => {
    for (const cut of ['', '{', '{a', '{"a', '{"a\\', '{{a', '{a,']) expect(parseArrayText(cut)).toBeInstanceOf(Array)
  })
})

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      connection = await openSession(database.url)
    })

    afterAll(async () => {
      await connection?.close()
      await database?.drop()
    })

    describe('arrayText', () => {
      it('writes any list of texts so that the server reads the same, and reads what the server writes', async () => {
        await fc.assert(
          fc.asyncProperty(list, async (elements) => {
            const { rows } = await connection.run({
              sql: 'select cast($1 as text[]), to_jsonb(cast($1 as text[]))',
              parameters: [arrayText(elements)],
            })
            const [asArray, asJson] = rows[0] as [string, string]
            expect(JSON.parse(asJson)).toStrictEqual(elements)
            expect(parseArrayText(asArray)).toStrictEqual(elements)
          }),
          { numRuns: 300 },
        )
      })

      it('writes lists inside lists', async () => {
        const sql = 'select to_jsonb(cast($1 as integer[]))'
        expect(
          await firstValue(
            connection,
            sql,
            arrayText([
              [1, 2],
              [3, null],
            ]),
          ),
        ).toBe('[[1, 2], [3, null]]')
      })
    })
  },
  { engines: ['postgres'] },
)
