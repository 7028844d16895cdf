import { type AuditEntry, defineModel, type Generated, type ModelNodes, type Row } from '../../lib/index.js'
import type { Equal, Holds } from './equal.js'

class Card {
  id!: Generated<number>
  pin!: string
}

const fields = { id: { kind: 'integer', primary: true, increment: true }, pin: { kind: 'text' } } as const

export const definitions = [
  () => defineModel(Card, { fields, audit: true }),
  () => defineModel(Card, { fields, audit: { omit: ['pin'] } }),
  // @ts-expect-error no such field
  () => defineModel(Card, { fields, audit: { omit: ['pim'] } }),
]

declare const entries: ModelNodes<AuditEntry>
const entry = entries.readOrThrow({ where: { id: 1n } })

export type Entries = [
  Holds<Equal<Row<AuditEntry>['change'], 'created' | 'updated' | 'deleted' | 'restored'>>,
  Holds<Equal<Row<AuditEntry>['before'], Readonly<Record<string, unknown>> | null>>,
  Holds<Equal<Awaited<typeof entry>['actor'], string | null>>,
]
