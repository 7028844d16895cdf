import { z } from 'zod'
import { defineNode, type Generated, type ModelNodes, type Row } from '../../lib/index.js'
import { LocalRuntime, WorkflowBuilder } from '../../lib/workflow/index.js'
import type { Equal, Holds, Plain } from './equal.js'

class User {
  id!: Generated<number>
  email!: string
}

declare const users: ModelNodes<User>
const length = defineNode({ name: 'Length', effect: 'read', input: z.string(), output: z.number(), run: async (text) => text.length })

const workflow = new WorkflowBuilder('w', { input: z.object({ email: z.string(), on: z.boolean() }) })
  .add('user', users.create, ({ input }) => ({ email: input.email }))
  .add('long', length, ({ user }) => user.email, { when: ({ user, input }) => input.on && user.id > 0 })
  .add('either', length, ({ long }) => String(long ?? 0), { ifSkipped: 'undefined' })
  .add('both', length, ({ long }) => long.toFixed(), { ifSkipped: 'skip', onError: () => 7, compensate: (result) => result.toFixed() })
  .map(
    'all',
    length,
    ({ user }) => [user.email],
    (text, { user }, index) => text + user.id + index,
    { compensate: (each) => each.length },
  )
  .build()

const run = new LocalRuntime().execute(workflow, { email: 'x', on: true })
const output = workflow({ email: 'x', on: true })

interface Results {
  user: Row<User>
  long: number | undefined
  either: number
  both: number | undefined
  all: number[]
}

export type Promises = [
  Holds<Equal<Plain<Omit<Awaited<typeof run>['results'], 'user'>>, Plain<Omit<Results, 'user'>>>>,
  Holds<Awaited<typeof run>['results']['user'] extends Row<User> ? true : false>,
  Holds<Equal<Awaited<typeof output>, Awaited<typeof run>['results']>>,
]

const named = new WorkflowBuilder<{ n: number }>('named').add('user', users.create, () => ({ email: 'x' })).output(({ user }) => user.id)
export type Named = Holds<Equal<Awaited<ReturnType<ReturnType<(typeof named)['build']>>>, number>>

// @ts-expect-error the input of a node is checked
named.add('bad', users.create, () => ({ emial: 'x' }))
// @ts-expect-error there is no such step
named.add('bad', users.create, ({ usr }) => ({ email: usr.email }))
const maybe = new WorkflowBuilder('w').add('a', length, () => 'x', { when: () => true })
// @ts-expect-error a result that may be missing
maybe.add('b', length, ({ a }) => a.toFixed(), { ifSkipped: 'undefined' })
// @ts-expect-error an input that nobody described is unknown
new WorkflowBuilder('w').add('a', length, ({ input }) => input.text)
// @ts-expect-error what a handler gives is a result
named.add('bad', length, () => 'x', { onError: () => 'seven' })
// @ts-expect-error the input of the run is checked
new LocalRuntime().execute(workflow, { email: 'x' })
