import { describe, expect, it } from 'vitest'
import type { Contender } from '../../bench/load/contenders.js'
import { runOnce } from '../../bench/load/run.js'
import type { AccountPool } from '../../bench/load/workflow.js'
import type { Inspector } from '../../bench/support/inspector.js'

/** A table in memory, as a contender writes it and the inspector sees it. */
class Table {
  readonly ages = new Map<string, number>()
  readonly #emails: string[] = []

  pool({ forgets = 0, fails = 0 } = {}): AccountPool {
    return {
      create: async ({ email, age }) => {
        this.ages.set(email, age)
        return { id: this.#emails.push(email) - 1, age }
      },
      read: async (id) => ({ id, age: this.ages.get(this.#emails[id]!)! }),
      update: async (id, age) => {
        if (id < fails) throw new Error('the update failed')
        if (id >= forgets) this.ages.set(this.#emails[id]!, age)
        return { id, age }
      },
      count: async () => this.ages.size,
      remove: async (id) => this.ages.delete(this.#emails[id]!),
      warm: async () => undefined,
      close: async () => undefined,
    }
  }

  inspector(): Inspector {
    return {
      seesSessions: false,
      sessions: async () => [],
      agesByEmail: async () => new Map(this.ages),
      clear: async () => {
        const { size } = this.ages
        this.ages.clear()
        return size
      },
      close: async () => undefined,
    }
  }
}

function contenderOn(...each: AccountPool[]): Contender {
  const pools = each.length === 1 ? 1 : 20
  const open = async () => ({ each, close: async () => undefined })
  return { mode: 'nodes', pool: 'cold', pools, stalled: false, maxConnections: 1, open }
}

describe('runOnce', () => {
  it('counts the workflows that ended well, and leaves an empty table', async () => {
    const table = new Table()
    const run = await runOnce(contenderOn(table.pool()), { firstNumber: 5, count: 30 }, table.inspector())
    expect(run.succeeded).toBe(30)
    expect(table.ages.size).toBe(0)
  })

  it('does not count a workflow that failed', async () => {
    const table = new Table()
    const run = await runOnce(contenderOn(table.pool({ fails: 3 })), { firstNumber: 5, count: 30 }, table.inspector())
    expect(run.succeeded).toBe(27)
  })

  it('does not take the word of a contender whose rows are not as they should be', async () => {
    const table = new Table()
    const run = runOnce(contenderOn(table.pool({ forgets: 1 })), { firstNumber: 5, count: 30 }, table.inspector())
    await expect(run).rejects.toThrow('workflow 5 ended well and left age 23')
  })

  it('finds rows that nobody should have written', async () => {
    const table = new Table()
    table.ages.set('somebody@example.com', 40)
    const run = runOnce(contenderOn(table.pool()), { firstNumber: 5, count: 30 }, table.inspector())
    await expect(run).rejects.toThrow('31 accounts are there after 30 workflows')
  })

  it('leaves the first of several pools out of the response times', async () => {
    const table = new Table()
    const pool = table.pool()
    const slow: AccountPool = {
      ...pool,
      count: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300))
        return pool.count()
      },
    }
    const pools = Array.from({ length: 20 }, (_, index) => (index === 0 ? slow : pool))
    const run = await runOnce(contenderOn(...pools), { firstNumber: 5, count: 40 }, table.inspector())
    expect(run.succeeded).toBe(40)
    expect(run.wallMs).toBeGreaterThan(290)
    expect(run.p99Ms).toBeLessThan(290)
  })
})
