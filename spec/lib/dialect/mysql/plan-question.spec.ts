import { UnsupportedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { planQuestion } from '../../../../lib/dialect/mysql/plan-question.js'

describe('the plans of MySQL', () => {
  it('are data where they are JSON, and text elsewhere', () => {
    expect(planQuestion.read([['{"query_block": {}}']])).toEqual({ query_block: {} })
    expect(planQuestion.read([['-> Table scan on t\n']])).toBe('-> Table scan on t\n')
  })

  it('are refused where MySQL has run a statement and measured nothing', () => {
    expect(() => planQuestion.read([['<not executable by iterator executor>\n']])).toThrow(UnsupportedError)
  })
})
