import { UnsupportedError } from '../../errors.js'
import type { PlanQuestion } from '../dialect.js'

/** What MySQL answers for a statement that it runs and does not measure: it does so for queries alone. */
const NOT_MEASURED = '<not executable by iterator executor>'

/** EXPLAIN, and what each server has for a plan with measurements: MariaDB gives JSON, MySQL a tree as text. */
export const planQuestion: PlanQuestion = {
  ask: (sql, isRun) => `${isRun ? '/*M! analyze format=json *//*!80018 explain analyze */' : 'explain format=json'} ${sql}`,
  read: ([row]) => {
    const answer = String(row![0])
    if (answer.trim() === NOT_MEASURED) throw new UnsupportedError("explain: 'analyze' of a write", 'mysql', 'explain: true gives the plan')
    return answer.startsWith('{') ? JSON.parse(answer) : answer
  },
}
