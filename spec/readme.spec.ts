import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase, defineModel, field, type Generated, type Json } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { connectionConfig } from '../lib/dialect/connection-config.js'
import { defineLooseModel } from '../lib/model/define-model.js'
import { POOL_DEFAULTS, type PoolOptions, poolOptions } from '../lib/pool/pool-options.js'
import { FLOORS } from './support/architecture/house.js'
import { codeBlocks, codeSpans, tableOf } from './support/markdown.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const MODELS = readFileSync(join(ROOT, 'docs/models.md'), 'utf8')
const POOLS = readFileSync(join(ROOT, 'docs/pools.md'), 'utf8')

class Note {
  id!: Generated<number>
  text!: string
  marks!: Json<object>
  tags!: string[]
  version!: Generated<number>
}

defineModel(Note, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    text: { kind: 'text' },
    marks: { kind: 'json' },
    tags: { kind: 'array', of: { kind: 'text' } },
    version: { kind: 'integer', role: 'version' },
  },
})

function noteNodes() {
  return createDatabase({ url: 'sqlite::memory:', models: { notes: Note } }).nodes.notes
}

describe('the tables of the README', () => {
  it('have a row for each node', () => {
    expect(namesIn('Node')).toEqual(Object.keys(noteNodes()))
  })

  it('say the input of each node', () => {
    for (const { Node, Call } of tableOf(README, 'Node')) {
      const [name] = codeSpans(Node!) as [keyof ReturnType<typeof noteNodes>]
      const shown = [...Call!.matchAll(/(?<=[{,] )\w+/g)].map(([entry]) => entry)
      // create takes the fields themselves
      const { properties } = noteNodes()[name].inputSchema as { readonly properties?: object }
      expect([name, new Set(shown)]).toEqual([name, new Set(Object.keys(properties ?? {}))])
    }
  })

  it('have every operator of a filter', () => {
    const inSchema = new Set(JSON.stringify(noteNodes().list.inputSchema).match(/\$\w+(?=":)/g))
    for (const word of ['$defs', '$ref', '$schema', '$id']) inSchema.delete(word)
    expect(new Set(namesIn('Operator'))).toEqual(inSchema)
  })

  it('have a row for each kind of field', () => {
    expect(namesIn('Field').toSorted()).toEqual(Object.keys(field).toSorted())
  })

  it('have every option of createDatabase', () => {
    const options = { models: {}, url: 'sqlite:shop.db', none: true }
    expect(namesIn('Database option')).toEqual(knownIn(() => createDatabase(options)))
  })

  it('have every option of a transaction', async () => {
    const db = createDatabase({ url: 'sqlite::memory:', models: {} })
    const refusal = await db.transaction(async () => undefined, { none: true } as never).catch((error: unknown) => error)
    const known = /known are (.*)$/.exec(String(refusal))![1]!.split(', ')
    expect(namesIn('Transaction option').toSorted()).toEqual(known.toSorted())
  })

  it('have every option of a connection', () => {
    const options = ['postgres', 'sqlite'].flatMap((engine) => {
      return knownIn(() => connectionConfig({ connection: { engine, file: 'shop.db', host: 'db', none: true } as never }))
    })
    expect(new Set(namesIn('Connection option'))).toEqual(new Set(options))
  })

  it('have, in docs/pools.md, every option of a pool, with its default and bounds', () => {
    const rows = tableOf(POOLS, 'Pool option')
    expect(rows.flatMap((row) => codeSpans(row['Pool option']!)).toSorted()).toEqual(
      [...Object.keys(POOL_DEFAULTS), 'lockTimeoutMs'].toSorted(),
    )
    for (const row of rows) {
      const [name] = codeSpans(row['Pool option']!) as [keyof PoolOptions]
      expect([name, row.Bounds]).toEqual([name, boundsOf(name)])
      expect([name, row.Default]).toEqual([name, defaultOf(name)])
    }
    expect(poolOptions({ acquireTimeoutMs: 3_000 }).lockTimeoutMs).toBe(1_500)
  })

  it('have every option of a call', async () => {
    const nodes = noteNodes()
    for (const { 'Call option': option, Nodes: named } of tableOf(README, 'Call option')) {
      // those that are not named by themselves are there on create
      const names = codeSpans(named!).filter(
        (name) => !['delete', 'bulkCreate'].includes(name) || codeSpans(option!).includes('transaction'),
      )
      for (const node of names.length === 0 ? ['create'] : names) {
        for (const name of codeSpans(option!)) {
          const call = nodes[node as 'list'] as (input: object, options: object) => Promise<unknown> | AsyncIterable<unknown>
          const answer = call({ rows: [], where: { id: 1 } }, { [name]: Symbol('no value of any option') })
          const refusal = await ('then' in answer ? answer : answer[Symbol.asyncIterator]().next()).catch((error: unknown) => error)
          // a known option may be refused for its value, never for its name
          expect(String(refusal)).not.toContain('unknown option')
        }
      }
    }
  })

  it('say of each error what its class says', () => {
    const source = readFileSync(join(ROOT, 'lib/errors.ts'), 'utf8')
    const classes = source.split(/^(?=export (?:abstract )?class )/m).flatMap((text) => {
      const name = /^export class (\w+)/.exec(text)?.[1]
      const code = /readonly code(?:: string)? = '(\w+)'/.exec(text)?.[1]
      return name === undefined ? [] : [{ Code: code, Class: name, Retryable: /retryable = true/.test(text) ? 'yes' : 'no' }]
    })
    const shown = tableOf(README, 'Code')
    expect(shown.map(({ Code, Class, Retryable }) => ({ Code, Class, Retryable })).toSorted(byCode)).toEqual(classes.toSorted(byCode))
    // the same table stands at the top of the source
    const inSource = tableOf(source.replaceAll(/^ \* (?=\|)/gm, '').replaceAll(/ +\|/g, ' |'), 'code')
    expect(shown.map((row) => Object.values(row))).toEqual(inSource.map((row) => Object.values(row)))
  })

  it('map every floor of the house that stands', () => {
    const [map] = codeBlocks(README, '')
    const rooms = FLOORS.flat().filter((room) => existsSync(join(ROOT, room)) || existsSync(join(ROOT, `${room}.ts`)))
    expect(rooms.filter((room) => room !== 'lib/index' && !map!.includes(room))).toEqual([])
  })
})

describe('the tables of the guide to models', () => {
  const optionsOf = (spec: object) => {
    class Holder {}
    return knownIn(() => defineLooseModel(Holder, { fields: { total: { ...spec, none: true } } } as never))
  }
  // what a decorator says for its user
  const common = optionsOf({ kind: 'boolean' }).filter((name) => name !== 'kind' && name !== 'primary')

  it('have every option of a field', () => {
    expect(new Set(namesIn('Field option', MODELS))).toEqual(new Set(common))
  })

  it('have every option of a custom field', () => {
    const own = optionsOf({ kind: 'custom' }).filter((name) => !['kind', 'primary', ...common].includes(name))
    expect(namesIn('Custom field option', MODELS)).toEqual(own)
  })
})

function namesIn(table: string, text = README): string[] {
  return tableOf(text, table).flatMap((row) => codeSpans(row[table]!))
}

/** The options that a refusal of an unknown one lists. */
function knownIn(refused: () => unknown): readonly string[] {
  try {
    refused()
  } catch (error) {
    const list = /known are (.*)$/.exec((error as Error).message)?.[1]
    if (list !== undefined) return list.split(', ')
  }
  throw new Error('nothing was refused')
}

function boundsOf(name: keyof PoolOptions): string {
  if (name === 'share') return '`true`, `false`'
  if (name === 'pooler') return '`auto`, `session`, `transaction`'
  if (name === 'initSql') return 'a list of SQL'
  try {
    poolOptions({ [name]: -1 })
  } catch (error) {
    const [, lowest, highest] = /from (\d+) to (\d+)/.exec((error as Error).message)!
    return `${thousands(Number(lowest))} to ${thousands(Number(highest))}`
  }
  throw new Error(`pool.${name} takes -1`)
}

function defaultOf(name: keyof PoolOptions): string {
  if (name === 'lockTimeoutMs') return 'half of `acquireTimeoutMs`'
  const value = POOL_DEFAULTS[name]
  if (typeof value === 'number') return thousands(value)
  return typeof value === 'object' ? 'none' : `\`${value}\``
}

function thousands(value: number): string {
  return value.toLocaleString('en-US')
}

function byCode(left: { Code?: string | undefined }, right: { Code?: string | undefined }): number {
  return String(left.Code).localeCompare(String(right.Code))
}
