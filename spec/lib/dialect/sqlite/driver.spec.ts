import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Driver, loadDriver } from '../../../../lib/dialect/sqlite/driver.js'
import { ConfigurationError, DriverMissingError } from '../../../../lib/errors.js'
import { freshFolder } from './sqlite-fixture.js'

/** How `import('better-sqlite3')` goes in a project that has these packages installed. */
function importerWith(packages: readonly string[]): () => Promise<{ default: Driver }> {
  const folder = freshFolder()
  for (const name of packages) {
    const installed = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const copy = join(folder, 'node_modules', name)
    mkdirSync(copy, { recursive: true })
    // all but what was built for this machine
    cpSync(installed, copy, { recursive: true, filter: (path) => !/better-sqlite3\/(?:build|deps|src)/.test(path) })
  }
  // required, so that Node.js itself resolves the import and not the test runner
  writeFileSync(join(folder, 'importer.cjs'), `exports.importDriver = () => import('better-sqlite3')`)
  const { importDriver } = createRequire(import.meta.url)(join(folder, 'importer.cjs'))
  return importDriver
}

describe('loadDriver', () => {
  it('gives the driver that is installed', async () => {
    const driver = await loadDriver()
    expect(new driver(':memory:').prepare('select 1').pluck().get()).toBe(1)
  })

  it('is a DriverMissingError that says what to install where the package is not there', async () => {
    const loading = loadDriver(importerWith([]))
    await expect(loading).rejects.toBeInstanceOf(DriverMissingError)
    await expect(loading).rejects.toThrow('npm install better-sqlite3')
  })

  it.each([
    ['its native part was not built', ['better-sqlite3', 'bindings', 'file-uri-to-path']],
    ['a package it needs is missing', ['better-sqlite3']],
  ])('is a ConfigurationError that says to rebuild where %s', async (_why, packages) => {
    const loading = loadDriver(importerWith(packages))
    await expect(loading).rejects.toBeInstanceOf(ConfigurationError)
    await expect(loading).rejects.toThrow(/does not load in Node\.js v\d+.*run: npm rebuild better-sqlite3/)
  })
})
