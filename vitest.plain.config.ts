import { configDefaults, mergeConfig } from 'vitest/config'
import config from './vitest.config.js'

/** What is about the measures themselves: reads that go together, and prepared statements that a migration outdates. */
const OF_MEASURES = ['spec/contract/read-batching.spec.ts', 'spec/contract/migrate-while-serving.spec.ts']

const ENGINE = process.env.LATCHWORK_SPEC_PLAIN_ENGINE ?? 'postgres'
/** What has tests on one engine alone. */
const OF_OTHERS = ENGINE === 'mysql' ? [] : ['spec/contract/without-returning.spec.ts']

/**
 * The contract and the property tests once more, with what makes statements quick turned off: see spec/support/plain-statements.ts. On one
 * engine, since what is turned off is the same on all: PostgreSQL, or what `LATCHWORK_SPEC_PLAIN_ENGINE` names.
 */
export default mergeConfig(config, {
  test: {
    // each statement is compiled and prepared anew: some tests have thousands
    testTimeout: 60_000,
    exclude: [...configDefaults.exclude, ...OF_MEASURES, ...OF_OTHERS],
    setupFiles: ['spec/support/plain-statements.ts'],
    provide: { onlyEngine: ENGINE },
  },
})
