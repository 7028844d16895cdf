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
const row = users.read({ where: { id: 1 } }, { select: ['email'] })

export type Results = [
  Holds<Equal<Awaited<typeof plans>, Explanation>>,
  Holds<Equal<Awaited<typeof measured>, Explanation>>,
  Holds<Equal<Awaited<typeof rows>, ListResult<Row<User>>>>,
  Holds<Equal<Awaited<typeof row>, Pick<Row<User>, 'email'> | null>>,
  Holds<Equal<Explanation['statements'], readonly ExplainedStatement[]>>,
  // what is inferred of a node is its own result
  Holds<Equal<Awaited<ReturnType<typeof users.count>>, number>>,
]

// @ts-expect-error no such mode
users.list({}, { explain: 'verbose' })
// @ts-expect-error a write is not explained
users.create({ email: 'x' }, { explain: true })
// @ts-expect-error a stream is not explained
users.stream({}, { explain: true })
