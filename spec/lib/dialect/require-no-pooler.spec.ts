import { ConfigurationError, createDatabase } from 'latchwork'
import { describe, expect, it } from 'vitest'

describe('pool.pooler', () => {
  // nothing listens there: the refusal comes before any I/O
  it.each(['mysql://nobody@127.0.0.1:1/shop', 'sqlite:/nowhere/shop.db', 'sqlite::memory:'])('is refused for %s', async (url) => {
    for (const pooler of ['session', 'transaction'] as const) {
      expect(() => createDatabase({ url, models: {}, pool: { pooler } })).toThrow(ConfigurationError)
      expect(() => createDatabase({ url, models: {}, pool: { pooler } })).toThrow('pool.pooler')
    }
    await createDatabase({ url, models: {}, pool: { pooler: 'auto' } }).close()
  })
})
