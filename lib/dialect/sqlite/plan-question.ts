import { UnsupportedError } from '../../errors.js'
import type { PlanQuestion } from '../dialect.js'

/** EXPLAIN QUERY PLAN: the steps as `{ id, parent, detail }`. Source: sqlite.org/eqp.html. */
export const planQuestion: PlanQuestion = {
  ask: (sql, isRun) => {
    if (isRun) throw new UnsupportedError("explain: 'analyze'", 'sqlite', 'explain: true gives the plan')
    return `explain query plan ${sql}`
  },
  read: (rows) => rows.map(([id, parent, , detail]) => ({ id: Number(id), parent: Number(parent), detail })),
}
