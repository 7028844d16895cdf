import { defineConfig } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { checkedConfig, enginesOf, rowCount } from '../../migrations/config.js'

describe('a configuration', () => {
  it('may be empty', () => {
    expect(checkedConfig({})).toEqual({})
    expect(enginesOf({})).toEqual([])
  })

  it('is a frozen copy', () => {
    const models = ['a.ts']
    const config = checkedConfig(defineConfig({ models, migrations: { dir: 'db' }, dialect: 'sqlite' }))
    models.push('b.ts')
    expect(config.models).toEqual(['a.ts'])
    expect(Object.isFrozen(config.migrations)).toBe(true)
    expect(enginesOf(config)).toEqual(['sqlite'])
  })

  it('says numbers of rows as people write them', () => {
    expect(['50M', '20k', '1.5k', 7, '3G', '5MB', '-1', ''].map(rowCount)).toEqual([
      50e6,
      20e3,
      1500,
      7,
      3e9,
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each([
    [null, 'config: expected an object, got null'],
    [[], 'config: expected an object, got a list'],
    [{ dialekt: 'mysql' }, 'dialekt: unknown option; did you mean dialect?'],
    [{ dialect: 'mariadb' }, 'dialect: expected postgres, mysql, sqlite, or a list of them, each once'],
    [{ dialect: [] }, 'dialect: expected postgres, mysql, sqlite, or a list of them, each once'],
    [{ dialect: ['mysql', 'mysql'] }, 'dialect: expected postgres, mysql, sqlite, or a list of them, each once'],
    [{ url: '' }, 'url: expected a text, got an empty one'],
    [{ models: 'src/*.ts' }, 'models: expected a list of texts, got string'],
    [{ models: ['src/*.ts', 1] }, 'models[1]: expected a text, got number'],
    [{ migrations: { folder: 'db' } }, 'migrations.folder: unknown option'],
    [{ seeds: { folder: 'x' } }, 'seeds.folder: unknown option'],
    [{ seeds: 'seeds' }, 'seeds: expected an object, got string'],
    [{ reset: { hosts: 'db' } }, 'reset.hosts: expected a list of texts, got string'],
    [{ migrations: { table: 7 } }, 'migrations.table: expected a text, got number'],
    [{ lint: { rule: {} } }, 'lint.rule: unknown option; did you mean rules?'],
    [{ lint: { rules: { 'drop-tables': 'off' } } }, 'lint.rules.drop-tables: unknown option; did you mean drop-table?'],
    [{ lint: { rules: { truncate: 'ignore' } } }, 'lint.rules.truncate: expected error, warning or off'],
    [{ lint: { rows: { users: 'many' } } }, 'lint.rows.users: expected a number of rows, such as 50M'],
  ])('is refused where it is %j', (given, message) => {
    expect(() => checkedConfig(given)).toThrow(message)
  })
})
