import { setTimeout as sleep } from 'node:timers/promises'
import { defineNode } from 'latchwork'
import { z } from 'zod'

/** Adds one, and is described by schemas. */
export const increment = defineNode({
  name: 'Increment',
  effect: 'read',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  run: async ({ n }) => ({ n: n + 1 }),
})

/** Gives what it gets. */
export const echo = defineNode({ name: 'Echo', effect: 'read', run: async (value) => value })

/** Takes its time, and heeds no signal. */
export const slow = defineNode({
  name: 'Slow',
  effect: 'write',
  input: z.object({ ms: z.number() }),
  run: async ({ ms }) => {
    await sleep(ms)
    return ms
  },
})

/** Reaches beyond. */
export const mail = defineNode({ name: 'Mail', effect: 'external', run: async (to) => `sent to ${to}` })

/** Fails as often as it is told, by a key of its own. */
export function flaky(failures: number) {
  let calls = 0
  return defineNode({
    name: 'Flaky',
    effect: 'write',
    run: async () => {
      if (++calls <= failures) throw new Error(`failure ${calls}`)
      return calls
    },
  })
}

export const failing = defineNode({
  name: 'Failing',
  effect: 'write',
  run: async (): Promise<number> => {
    throw new Error('broken')
  },
})
