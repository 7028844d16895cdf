import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { RULE_NAMES, RULES, type RuleName } from './support/architecture/rules.js'
import { parseSource, readSources, type SourceFile } from './support/architecture/source-file.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Each rule, with sources that break it and what it then says. */
const BROKEN: readonly (readonly [rule: RuleName, broken: Readonly<Record<string, string>>, said: readonly string[]])[] = [
  ['eachFileHasAFloor', { 'lib/extras.ts': '', 'lib/pool/a.ts': '' }, ['lib/extras.ts stands on no floor']],
  ['importsPointDown', { 'lib/pool/a.ts': "import { b } from '../dialect/b.js'" }, ['lib/pool/a.ts imports lib/dialect/b.ts']],
  ['importsPointDown', { 'lib/pool/a.ts': "import type { b } from '../query/b.js'" }, ['lib/pool/a.ts imports lib/query/b.ts']],
  ['importsPointDown', { 'lib/lock/a.ts': "type B = import('../model/b.js').B" }, ['lib/lock/a.ts imports lib/model/b.ts']],
  ['importsPointDown', { 'lib/errors.ts': "export * from './events.js'" }, ['lib/errors.ts imports lib/events.ts']],
  [
    'importsPointDown',
    { 'lib/channels/http/a.ts': "await import('../mcp/b.js')" },
    ['lib/channels/http/a.ts imports lib/channels/mcp/b.ts'],
  ],
  ['rootsKeepToTheirOwn', { 'lib/model/a.ts': "import '../../decorators/b.js'" }, ['lib/model/a.ts imports decorators/b.ts']],
  ['rootsKeepToTheirOwn', { 'decorators/a.ts': "import '../lib/pool/b.js'" }, ['decorators/a.ts imports lib/pool/b.ts']],
  ['rootsKeepToTheirOwn', { 'migrations/cli/a.ts': "import '../../lib/nodes/b.js'" }, ['migrations/cli/a.ts imports lib/nodes/b.ts']],
  ['rootsKeepToTheirOwn', { 'index.ts': "export * from './migrations/index.js'" }, ['index.ts imports migrations/index.ts']],
  ['rootsKeepToTheirOwn', { 'samples/shop/a.ts': "import '../../index.js'" }, ['samples/shop/a.ts imports index.ts']],
  ['wallsHold', { 'lib/dialect/mysql/a.ts': "import '../postgres/b.js'" }, ['lib/dialect/mysql/a.ts imports lib/dialect/postgres/b.ts']],
  [
    'noCycles',
    { 'lib/a.ts': "import './b.js'", 'lib/b.ts': "import './c.js'", 'lib/c.ts': "import type { B } from './b.js'" },
    ['lib/b.ts → lib/c.ts → lib/b.ts'],
  ],
  [
    'noMutualFolders',
    { 'lib/pool/a.ts': "import '../lock/b.js'", 'lib/lock/c.ts': "import '../pool/d.js'", 'lib/index.ts': "import './pool/a.js'" },
    ['lib/lock ⇄ lib/pool'],
  ],
  ['noDefaultExports', { 'lib/a.ts': 'export default 1' }, ['lib/a.ts has a default export']],
  ['noDefaultExports', { 'lib/a.ts': 'const a = 1; export { a as default }' }, ['lib/a.ts has a default export']],
  ['noEngineNames', { 'lib/query/a.ts': "if (engine === 'mysql') go()" }, ["lib/query/a.ts compares an engine's name: engine === 'mysql'"]],
  [
    'noEngineNames',
    { 'lib/query/a.ts': "switch (engine) { case 'sqlite': }" },
    ["lib/query/a.ts compares an engine's name: case 'sqlite':"],
  ],
  ['faceHoldsNothing', { 'index.ts': "export * from './lib/index.js'; export const a = 1" }, ['index.ts does more than re-export']],
  ['faceHoldsNothing', { 'index.ts': "import './lib/index.js'" }, ['index.ts does more than re-export']],
]

const SOUND: Readonly<Record<string, string>> = {
  'index.ts': "export * from './lib/index.js'; export { model } from './decorators/index.js'",
  'lib/index.ts': "export * from './pool/pool.js'",
  'lib/pool/pool.ts': "import type { A } from '../errors.js'; import { b } from './b.js'; import pg from 'pg'",
  'lib/dialect/create.ts': "import './postgres/index.js'",
  'lib/dialect/postgres/index.ts': "import type { D } from '../dialect.js'; if (engine === 'mysql') go()",
  'lib/channels/http/a.ts': "import '../channel.js'",
  'decorators/model.ts': "import '../lib/model/a.js'; import 'reflect-metadata'",
  'migrations/up.ts': "import '../lib/dialect/dialect.js'",
  'samples/shop/a.ts': "import { model } from 'latchwork'; import './b.js'",
}

function parsed(sources: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(sources).map(([path, text]) => parseSource(path, text))
}

describe('the house', () => {
  const files = readSources(ROOT, ['index.ts', 'lib', 'decorators', 'migrations', 'samples', 'bench'])

  it('has sources to look at', () => {
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['index.ts', 'lib/errors.ts']))
  })

  it.each(RULE_NAMES)('keeps the rule %s', (rule) => {
    expect(RULES[rule](files)).toEqual([])
  })
})

describe('the rules of the house', () => {
  it.each(BROKEN)('%s finds what breaks it in %j', (rule, broken, said) => {
    expect(RULES[rule](parsed(broken))).toEqual(said)
  })

  it.each(RULE_NAMES)('%s lets sound sources pass', (rule) => {
    expect(RULES[rule](parsed(SOUND))).toEqual([])
  })

  it('are each shown to find something', () => {
    expect(new Set(BROKEN.map(([rule]) => rule))).toEqual(new Set(RULE_NAMES))
  })
})
