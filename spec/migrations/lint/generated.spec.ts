import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMigrationDialect } from '../../../lib/dialect/create-migration-dialect.js'
import { ModelError, UnsupportedError } from '../../../lib/errors.js'
import { generateMigration } from '../../../migrations/generate.js'
import { consentOf } from '../../../migrations/lint/directives.js'
import { lintFile } from '../../../migrations/lint/lint-file.js'
import { SQL_RULE_IDS } from '../../../migrations/lint/rule.js'
import { SQL_RULES } from '../../../migrations/lint/sql-rules.js'
import { NOWHERE } from '../../../migrations/nowhere.js'
import { decided } from '../../lib/model/decided.js'
import { anySchema } from '../../lib/model/schema-pairs.js'

it.each(['postgres', 'mysql', 'sqlite'] as const)(
  'what generate writes for %s has no error of lint that it does not approve',
  (engine) => {
    const dialect = createMigrationDialect(NOWHERE[engine])
    let [looked, dropped] = [0, 0]
    const picks = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(anySchema, anySchema, picks, (from, to, answers) => {
        const facts = decided(from, to, answers)
        if (facts === undefined) return
        const options = { name: 'any', now: new Date(0), ids: [], parents: [], from, to, facts, engines: [engine] }
        let draft: ReturnType<typeof generateMigration>['draft']
        try {
          draft = generateMigration(options).draft
        } catch (error) {
          // what an engine cannot have
          if (error instanceof ModelError || error instanceof UnsupportedError) return
          throw error
        }
        if (draft === undefined) return
        const text = draft.files[`up.${engine}.sql`]!
        const { operations } = JSON.parse(draft.files['migration.json']!)
        const file = lintFile(draft.id, { kind: 'sql', file: 'up.sql', text, checksum: '' }, dialect, from, operations)
        const consent = consentOf(file)
        for (const rule of SQL_RULE_IDS.filter((each) => SQL_RULES[each].engines.includes(engine))) {
          for (const found of SQL_RULES[rule].find(file)) {
            const level = found.level ?? SQL_RULES[rule].level
            if (level === 'error' && !consent.covers(rule, found)) throw new Error(`${rule}: ${found.message} (${found.object})\n${text}`)
            dropped += level === 'error' ? 1 : 0
          }
        }
        looked++
      }),
      { numRuns: 200 },
    )
    expect(looked).toBeGreaterThan(30)
    expect(dropped).toBeGreaterThan(10)
  },
  60_000,
)
