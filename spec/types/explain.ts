import type { ExplainedStatement, Explanation, Generated, ListResult, ModelNodes, Row } from '../../lib/index.js'
import type { Equal, Holds } from './equal.js'

class User {
  id!: Generated<number>
  email!: string
}

declare const users: ModelNodes<User>

const plans = users.list({ where: { email: 'x' } }, { explain: true, select: ['id'] })
const measured = users.count({}, { explain: 'analyze' })
const rows = users.list({ where: { email: 'x' } })
const writes = [
  users.create({ email: 'x' }, { explain: true, select: ['id'], idempotencyKey: 'k' }),
  users.update({ where: { id: 1 }, set: { email: 'x' } }, { explain: true }),
  users.delete({ where: { id: 1 } }, { explain: 'analyze', timeoutMs: 1_000 }),
  users.restore({ where: { id: 1 } }, { explain: true }),
  users.upsert({ on: ['email'], values: { email: 'x' } }, { explain: true }),
  users.bulkCreate({ rows: [{ email: 'x' }] }, { explain: true, transaction: false }),
  users.bulkUpdate({ all: true, set: { email: 'x' } }, { explain: true }),
  users.bulkDelete({ all: true }, { explain: true }),
  users.bulkUpsert({ on: ['email'], rows: [{ email: 'x' }] }, { explain: true }),
  users.claim({ all: true, set: { email: 'x' } }, { explain: true }),
  users.stream({}, { explain: true, deleted: 'only' }),
] as const
const made = users.create({ email: 'x' }, { select: ['id'] })
const row = users.read({ where: { id: 1 } }, { select: ['email'] })

export type Results = [
  Holds<Equal<Awaited<typeof plans>, Explanation>>,
  Holds<Equal<Awaited<typeof measured>, Explanation>>,
  Holds<Equal<Awaited<typeof rows>, ListResult<Row<User>>>>,
  Holds<Equal<Awaited<typeof row>, Pick<Row<User>, 'email'> | null>>,
  Holds<Equal<Explanation['statements'], readonly ExplainedStatement[]>>,
  Holds<Equal<Awaited<(typeof writes)[number]>, Explanation>>,
  Holds<Equal<Awaited<typeof made>, Pick<Row<User>, 'id'>>>,
  // what is inferred of a node is its own result
  Holds<Equal<Awaited<ReturnType<typeof users.count>>, number>>,
]

// @ts-expect-error no such mode
users.list({}, { explain: 'verbose' })
// @ts-expect-error it is asked for, or not
users.create({ email: 'x' }, { explain: false })
// @ts-expect-error the input is checked as ever
users.update({ where: { id: 1 }, set: { emial: 'x' } }, { explain: true })
// @ts-expect-error and so are the other options
users.bulkDelete({ all: true }, { explain: true, select: ['id'] })
// @ts-expect-error nor does it make a field
users.stream({}, { explain: true, select: ['emial'] })
