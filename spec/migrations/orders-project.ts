import type { FieldSpec } from 'latchwork'
import { createMigrator, type Migrator } from 'latchwork/migrations'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { type Schema, schemaOf } from '../../lib/model/schema.js'
import { generateMigration } from '../../migrations/generate.js'
import { writeMigration } from '../../migrations/write-migration.js'
import type { FreshDatabase, SpecEngine } from '../support/engines.js'
import { folderOf } from './draft.js'

/** A schema with everything that an engine writes in its own way. */
export function orders(fields: Readonly<Record<string, FieldSpec>> = {}): Schema {
  class Order {}
  const definition = defineLooseModel(Order, {
    name: 'Order',
    table: 'orders',
    fields: {
      id: { kind: 'integer', primary: true, increment: true },
      rank: { kind: 'integer', default: -1 },
      quantity: { kind: 'integer' },
      price: { kind: 'decimal', precision: 10, scale: 2, default: '0.50' },
      note: { kind: 'text', maxLength: 80, default: "it's" },
      state: { kind: 'enum', values: ['open', 'paid', 'sent'], default: 'open' },
      extra: { kind: 'json', default: { b: 1, a: [2] } },
      placedAt: { kind: 'timestamp', role: 'createdAt' },
      ...fields,
    },
    checks: [{ where: { quantity: { $between: [1, 99] } } }, { name: 'orders_note_check', sql: "note <> upper(note) or note = '-1'" }],
    indexes: [{ on: ['note'], where: { state: { $in: ['open', 'paid'] } } }],
  })
  return schemaOf([definition])
}

/** Changes to the table orders that no migration makes. */
const BY_HAND: Readonly<Record<SpecEngine['name'], { readonly note: readonly string[]; readonly all: readonly string[] }>> = {
  postgres: {
    note: [
      'alter table orders drop constraint orders_note_check',
      "alter table orders add constraint orders_note_check check (note <> lower(note) or note = '-1')",
    ],
    all: [
      'alter table orders alter column rank set default -2',
      'alter table orders add column legacy_code text',
      'alter table orders drop column price',
      'drop index orders_note_idx',
      'create table audit_log (id integer primary key)',
    ],
  },
  mysql: {
    note: [
      'alter table orders drop constraint orders_note_check',
      "alter table orders add constraint orders_note_check check (note <> lower(note) or note = '-1')",
    ],
    all: [
      'alter table orders alter column `rank` set default -2',
      'alter table orders add column legacy_code longtext null',
      'alter table orders drop column price',
      'drop index orders_note_idx on orders',
      'create table audit_log (id integer primary key)',
    ],
  },
  sqlite: {
    note: [],
    all: [
      'alter table orders add column legacy_code TEXT null',
      'alter table orders drop column price',
      'drop index orders_note_idx',
      'create table audit_log (id integer primary key)',
    ],
  },
}

/** A folder of migrations that are generated one after the other, and a database to run them in. */
export class OrdersProject {
  #last: Schema | undefined
  readonly ids: string[] = []

  private constructor(
    readonly engine: SpecEngine,
    readonly database: FreshDatabase,
    readonly folder: string,
  ) {}

  static async create(engine: SpecEngine): Promise<OrdersProject> {
    return new OrdersProject(engine, await engine.freshDatabase(), await folderOf([]))
  }

  get migrator(): Migrator {
    return createMigrator({ url: this.database.url, folder: this.folder })
  }

  /** Writes the migration to this schema; gives its id. */
  async generate(to: Schema): Promise<string> {
    const { ids, engine } = this
    const now = new Date(Date.UTC(2026, 10, 23, 12, 0, ids.length))
    const from = { now, ids, parents: ids.slice(-1), from: this.#last, to, facts: {}, engines: [engine.name] }
    const { draft } = generateMigration({ name: 'change', ...from })
    await writeMigration(this.folder, draft!)
    this.#last = to
    ids.push(draft!.id)
    return draft!.id
  }

  admin(sql: string) {
    return this.engine.admin(this.database.url, sql)
  }

  /** Changes the table past all migrations: the SQL of one check, or several things. */
  async changeByHand(kind: 'note' | 'all'): Promise<void> {
    // SQLite alters neither a default nor a check: the table, which is empty, is made anew
    if (this.engine.name === 'sqlite') {
      const made = await this.admin("select sql from sqlite_schema where tbl_name = 'orders' and sql is not null order by type desc")
      const [from, to] = kind === 'note' ? ['upper(note)', 'lower(note)'] : ['default -1', 'default -2']
      await this.admin(`drop table orders;\n${made.map(({ sql }) => String(sql).replace(from!, to!)).join(';\n')};`)
    }
    for (const sql of BY_HAND[this.engine.name][kind]) await this.admin(sql)
  }

  kept() {
    return this.admin('select object, logical_hash, as_stored from _latchwork_expressions order by object')
  }
}
