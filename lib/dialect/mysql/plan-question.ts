import type { PlanQuestion } from '../dialect.js'

/** EXPLAIN, and what each server has for a plan with measurements: MariaDB gives JSON, MySQL a tree as text. */
export const planQuestion: PlanQuestion = {
  ask: (sql, isRun) => `${isRun ? '/*M! analyze format=json *//*!80018 explain analyze */' : 'explain format=json'} ${sql}`,
  read: ([row]) => {
    const answer = String(row![0])
    return answer.startsWith('{') ? JSON.parse(answer) : answer
  },
}
