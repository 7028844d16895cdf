import { z } from 'zod'
import { defineNode, type Generated, type ModelNodes } from '../../lib/index.js'
import { LocalRuntime, WorkflowBuilder } from '../../lib/workflow/index.js'

class Job {
  id!: Generated<number>
  status!: 'open' | 'closed'
  n!: number
}
declare const jobs: ModelNodes<Job>
const setting = defineNode({ name: 'Set', effect: 'read', input: z.object({ to: z.enum(['a', 'b']) }), run: async ({ to }) => to })
/** What binds a step writes values of an enum as they are. */
export const b = new WorkflowBuilder<{ on: boolean }>('w')
  .add('one', jobs.create, () => ({ status: 'open', n: 1 }))
  .add('two', jobs.create, ({ input }) => ({ status: input.on ? 'open' : 'closed', n: 1 }))
  .add('three', jobs.update, ({ two }) => ({ where: { id: two.id }, set: { status: 'closed' } }))
  .add('four', setting, () => ({ to: 'a' }))
  .add('five', setting, ({ one }) => ({ to: one.status === 'open' ? 'a' : 'b' }))
  .add('six', setting, ({ one }) => ({ to: one.status === 'open' ? 'a' : 'b' }), { retry: { attempts: 2 } })
  .add('seven', setting, () => ({ to: 'a' }), { when: ({ one }) => one.n > 0 })
  .map(
    'eight',
    setting,
    () => ['a', 'b'],
    () => ({ to: 'a' }),
  )
  .map(
    'nine',
    setting,
    () => ['a', 'b'],
    (text) => ({ to: text === 'a' ? 'a' : 'b' }),
  )
  .map(
    'ten',
    jobs.create,
    () => ['a', 'b'],
    (text) => ({ status: 'open', n: text.length }),
    { compensate: (rows) => rows.length },
  )
  .add('eleven', jobs.create, () => {
    const n = 1
    return { status: 'open', n }
  })
  .add('twelve', jobs.list, () => ({ where: { status: 'open' }, orderBy: { n: 'desc' } }))
b.build()
// @ts-expect-error not a value of the enum
b.add('x', jobs.create, () => ({ status: 'opne', n: 1 }))
// @ts-expect-error an entry too many
b.add('x', jobs.create, () => ({ status: 'open', n: 1, m: 2 }))
// @ts-expect-error an entry too many
b.add('x', jobs.create, ({ one }) => ({ status: one.status, n: 1, m: 2 }))
const withInput = new WorkflowBuilder('w', { input: z.object({ on: z.coerce.number(), off: z.string().default('x') }) })
  .add('one', jobs.create, ({ input }) => ({ status: 'open', n: input.on + input.off.length }))
  .build()
// a run is given what the schema takes, and its steps see what that makes of it
withInput({ on: '5' })
new LocalRuntime().execute(withInput, { on: '5', off: 'y' })
// @ts-expect-error what the schema does not take
withInput({ on: '5', off: 7 })

const listed = defineNode({
  name: 'L',
  effect: 'read',
  input: z.object({ list: z.array(z.enum(['a', 'b'])), at: z.date().optional(), pair: z.tuple([z.string(), z.number()]).optional() }),
  run: async ({ list }) => list,
})
const loose = defineNode({ name: 'M', effect: 'read', run: async (text: unknown) => text })
b.add('l', listed, () => ({ list: ['a'], at: new Date(), pair: ['x', 1] }))
b.add('m', loose, () => 'x')
  .add('m2', loose, () => ({ any: ['x'] }))
  .add('n', jobs.bulkCreate, () => ({ rows: [{ status: 'open', n: 1 }] }))
  .add('o', jobs.readMany, () => ({ keys: [{ id: 1 }] }))
  .add('p', jobs.upsert, ({ one }) => ({ on: ['id'], values: { status: 'open', n: one.n } }))
  .add('q', jobs.count, () => ({}))
  .add('r', jobs.bulkUpdate, () => ({ all: true, set: { n: { $increment: 1 } } }))
// @ts-expect-error an entry too many, further in
b.add('x', jobs.update, ({ one }) => ({ where: { id: one.id }, set: { status: 'open', m: 2 } }))
