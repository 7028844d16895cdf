import { vi } from 'vitest'
import { QueryRunner } from '../../lib/query/query-runner.js'
import { StatementCache } from '../../lib/query/statement-cache.js'

// Loaded before each spec of `npm run test:plain`: every call is planned anew, and every statement goes alone, is compiled anew, and is
// prepared under a name that is never asked for again. What the specs hold of that they hold of all that makes statements quick, too: it
// changes no result.

vi.mock('../../lib/query/planned-calls.js', () => ({ plannedBefore: () => undefined, keepPlan() {} }))

const { run } = QueryRunner.prototype
QueryRunner.prototype.run = function (plan, limits) {
  return run.call(this, { ...plan, sharable: undefined }, limits) as never
}

let compiled = 0
const { get } = StatementCache.prototype
StatementCache.prototype.get = (shape, build) => ({ ...get.call(new StatementCache(), shape, build), name: `plain_${compiled++}` })
