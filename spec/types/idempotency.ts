import type { Generated, IdempotencyRecord, ModelNodes, Row } from '../../lib/index.js'
import type { Equal, Holds } from './equal.js'

class User {
  id!: Generated<number>
  email!: string
}

declare const users: ModelNodes<User>

const made = users.create({ email: 'x' }, { idempotencyKey: 'k', select: ['id'] })
const many = users.bulkCreate({ rows: [{ email: 'x' }] }, { idempotencyKey: 'k' })

export type Results = [
  Holds<Equal<Awaited<typeof made>, Pick<Row<User>, 'id'>>>,
  Holds<Equal<Awaited<typeof many>['count'], number>>,
  Holds<Equal<Row<IdempotencyRecord>['expiresAt'], Date>>,
]

// @ts-expect-error a text
users.create({ email: 'x' }, { idempotencyKey: 1 })
// @ts-expect-error only what creates has one
users.update({ where: { id: 1 }, set: { email: 'x' } }, { idempotencyKey: 'k' })
