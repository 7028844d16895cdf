import type { PlanQuestion } from '../dialect.js'

/** EXPLAIN. Gives `{ Plan, … }`. Source: PostgreSQL 15 manual, "EXPLAIN". */
export const planQuestion: PlanQuestion = {
  ask: (sql, isRun) => `explain (format json${isRun ? ', analyze, buffers' : ''}) ${sql}`,
  read: ([row]) => (JSON.parse(String(row![0])) as readonly unknown[])[0],
}
