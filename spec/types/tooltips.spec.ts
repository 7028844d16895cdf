import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What is called on the nodes of books, and the type of its result as the compiler prints it. */
const TOOLTIPS = [
  ['a row', 'readOrThrow({ where })', '{ authorId: number; id: number; title: string; }'],
  ['a row or null', 'read({ where })', '{ authorId: number; id: number; title: string; } | null'],
  ['a page of rows', 'list()', 'ListResult<{ authorId: number; id: number; title: string; }>'],
  ['a select', "readOrThrow({ where }, { select: ['id', 'title'] })", '{ id: number; title: string; }'],
  [
    'an include',
    'readOrThrow({ where, include: { author: true } })',
    '{ author: { id: number; mentorId: number | null; name: string; }; authorId: number; id: number; title: string; }',
  ],
  [
    'a nested include',
    `readOrThrow({ where }, {
      select: ['title'],
      include: { labels: true, author: { select: ['name'], include: { mentor: { select: ['name'] }, books: { select: ['id'] } } } },
    })`,
    '{ author: { books: { id: number; }[]; mentor: { name: string; } | null; name: string; }; labels: { id: number; word: string; }[]; title: string; }',
  ],
  [
    'a polymorphic include',
    "readOrThrow({ where }, { select: ['id'], include: { subject: { author: { select: ['name'] }, label: true } } })",
    '{ id: number; subject: { type: "author"; row: { name: string; }; } | { type: "label"; row: { id: number; word: string; }; } | null; }',
  ],
  [
    'rows of keys',
    "readMany({ keys: [where] }, { select: ['id'], include: { author: { select: ['name'] } } })",
    '({ author: { name: string; }; id: number; } | null)[]',
  ],
  [
    'an aggregate',
    "aggregate({ groupBy: ['title'], values: { rows: '$count', last: { $max: 'id' } } })",
    '{ last: number | null; rows: number; title: string; }[]',
  ],
] as const

const SOURCE = `
import type { Generated, Many, ModelNodes, One, OneOf } from '../../../index.js'
class Author {
  id!: Generated<number>
  name!: string
  mentorId!: number | null
  mentor!: One<Author> | null
  books!: Many<Book>
}
class Book {
  id!: Generated<number>
  title!: string
  authorId!: number
  author!: One<Author>
  labels!: Many<Label>
  subject!: OneOf<{ author: Author; label: Label }> | null
}
class Label {
  id!: Generated<number>
  word!: string
}
declare const books: ModelNodes<Book>
const where = { id: 1 }
// refused, so that the compiler prints the types as an editor does
export const printed: never[] = [
${TOOLTIPS.map(([, call]) => `  await books.${call},`).join('\n')}
]
`

describe('the type that the compiler prints', () => {
  let folder: string
  let printed: readonly string[]

  beforeAll(async () => {
    // inside the project, so that the compiler finds its dependencies
    folder = await mkdtemp(join(ROOT, 'spec/types/.tooltips-'))
    await writeFile(join(folder, 'books.ts'), SOURCE)
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: { rootDir: ROOT, noEmit: true, noErrorTruncation: true },
        include: [],
        files: ['books.ts'],
      }),
    )
    printed = await refusedTypes(folder)
  }, 60_000)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('is there for each call', () => {
    expect(printed).toHaveLength(TOOLTIPS.length)
  })

  it.each(TOOLTIPS.map(([what, , type], at) => ({ what, type, at })))('shows plain fields for $what', ({ type, at }) => {
    expect(printed[at]).toBe(type)
  })
})

/** The types that the compiler finds where it wants `never`, in the order of the source. */
async function refusedTypes(project: string): Promise<readonly string[]> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  const output = await promisify(execFile)(tsc, ['-p', project, '--pretty', 'false'], { cwd: ROOT }).then(
    () => '',
    // the compiler prints what is wrong where a result belongs
    (error: { stdout?: string }) => error.stdout ?? String(error),
  )
  return Array.from(output.matchAll(/error TS2322: Type '(.+)' is not assignable to type 'never'/g), ([, type]) => type ?? '')
}
