import { expect, it } from 'vitest'
import { runFixture } from '../contract/fixture-process.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { useShop } from './shop.js'

forEachEngine(
  (engine) => {
    const shop = useShop(engine)

    it(
      'a program ends by itself within two seconds of close(), though the network has swallowed what it had under way',
      TIMED,
      async () => {
        const { output, msAfterOutput, exitCode } = await runFixture('../faults/exits.ts', shop.url)
        const codes = JSON.parse(output) as string[]
        expect(codes).toHaveLength(7)
        expect(codes.filter((code) => !['CONNECTION_LOST', 'QUERY_TIMEOUT', 'POOL_TIMEOUT'].includes(code))).toEqual([])
        expect(exitCode).toBe(0)
        expect(msAfterOutput).toBeLessThan(2_000)
      },
    )
  },
  { engines: ['postgres', 'mysql'] },
)
