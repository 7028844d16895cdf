// An application that brings its database up to date when it starts: tsx samples/notes/main.ts
// DATABASE_URL=postgres://user:password@127.0.0.1:5432/notes does the same there. Any number of its processes may start at once.
import { fileURLToPath } from 'node:url'
import { createDatabase, LatchworkError } from 'latchwork'
import { createMigrator } from 'latchwork/migrations'
import { Author, Note } from './models.js'

const inSample = (folder: string) => fileURLToPath(new URL(folder, import.meta.url))

async function start(url: string): Promise<void> {
  await using db = createDatabase({ url, models: { authors: Author, notes: Note } })

  // one process applies what is pending, on a connection of its own; the others wait for it and find nothing to do
  const migrator = createMigrator({ db, folder: inSample('migrations'), seeds: inSample('seeds') })
  const { applied } = await migrator.up()
  for (const { id, steps } of applied) console.log(`applied ${id} (${steps} ${steps === 1 ? 'step' : 'steps'})`)
  if (applied.length === 0) console.log('the database is up to date')

  // each seed runs once an environment, under the same lock
  const { seeds } = await migrator.seed()
  for (const { id } of seeds) console.log(`seeded ${id}`)

  const { row: ada } = await db.nodes.authors.upsert({ on: ['handle'], values: { name: 'Ada', handle: 'ada' } })
  await db.nodes.notes.create({ authorId: ada.id, text: 'the engine weaves algebraic patterns' })
  const count = await db.nodes.notes.count({ where: { authorId: ada.id } })
  console.log(`${ada.name} has ${count} ${count === 1 ? 'note' : 'notes'}`)
}

try {
  await start(process.env.DATABASE_URL || 'sqlite:notes.db')
} catch (error) {
  // what we threw says what to do; anything else is a bug, and its stack is wanted
  if (!(error instanceof LatchworkError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
