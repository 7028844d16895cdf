import { createDatabase, field, type Generated, id, model, sqlNode, WorkflowDefinitionError } from 'latchwork'
import { WorkflowBuilder, type WorkflowJson } from 'latchwork/workflow'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TIMED } from '../../support/timed.js'
import { echo, failing, increment, mail } from './own-nodes.js'

@model()
class Author {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50 }) name!: string
}

@model()
class Book {
  @id() id!: Generated<number>
  @field.integer() authorId!: number
  @field.text({ maxLength: 50 }) title!: string
}

const db = createDatabase({ url: 'sqlite::memory:', models: { authors: Author, books: Book } })
db.register(increment)
const { authors, books } = db.nodes
const byName = (name = 'w', options: object = {}) => new WorkflowBuilder(name, { nodes: db, ...options })

/** What is wrong with a workflow, as its error tells. */
function problemsOf(build: () => unknown): readonly { problem: string; step: string | undefined; message: string }[] {
  try {
    build()
  } catch (error) {
    if (error instanceof WorkflowDefinitionError) return error.issues
    throw error
  }
  throw new Error('it was built')
}

describe('WorkflowBuilder.build', () => {
  afterAll(() => db.close())

  it('refuses a node that is not there, and suggests the nearest', () => {
    expect(problemsOf(() => byName().addNode('AuthorCraeteNode', 'a').build())).toMatchObject([
      { problem: 'UNKNOWN_NODE', step: 'a', message: 'there is no node "AuthorCraeteNode"; did you mean AuthorCreateNode?' },
    ])
  })

  it('refuses a step that is not there, wherever it is named', () => {
    const issues = problemsOf(() =>
      byName('w', { transaction: ['frist'] })
        .addNode(echo, 'first')
        .addConnection('frist', '', 'first', 'x')
        .addNode(echo, 'second', {}, { after: ['firts'] })
        .addConnection('first', '', 'secnod', 'x')
        .build(),
    )
    expect(issues.map(({ problem }) => problem)).toEqual(['UNKNOWN_STEP', 'UNKNOWN_STEP', 'UNKNOWN_STEP', 'UNKNOWN_STEP'])
    expect(issues[1]!.message).toBe('there is no step "frist"; did you mean first?')
  })

  it('prints the path of a circle', () => {
    const circular = () =>
      byName().addNode(echo, 'a').addNode(echo, 'b').addNode(echo, 'c').addConnection('a', '', 'b', 'x').addConnection('b', '', 'c', 'x').addConnection('c', '', 'a', 'x').build() // biome-ignore format: one line a circle
    expect(problemsOf(circular)).toMatchObject([
      { problem: 'CYCLE', message: expect.stringMatching(/: (a → b → c → a|b → c → a → b|c → a → b → c)$/) },
    ])
  })

  it('names the path of an input that is wrong, by type and by name', () => {
    const issues = problemsOf(() =>
      byName()
        .addNode('AuthorCreateNode', 'author', { name: 7, nmae: 'x' })
        .addNode('BookCreateNode', 'book', { title: 'T' })
        .addConnection('author', 'name', 'book', 'authorId')
        .addConnection('author', 'idd', 'book', 'title')
        .build(),
    )
    expect(issues).toMatchObject([
      { problem: 'WRONG_INPUT', step: 'author', message: 'name: expected string, got a whole number' },
      { problem: 'WRONG_INPUT', step: 'author', message: 'nmae: there is no "nmae"; did you mean name?' },
      { problem: 'WRONG_INPUT', step: 'book', message: 'author.name → authorId: expected integer, gets string' },
      { problem: 'WRONG_INPUT', step: 'book', message: 'author.idd → title: the result of "author": there is no "idd"; did you mean id?' },
    ])
  })

  it('names an input that is missing', () => {
    expect(problemsOf(() => byName().addNode('BookCreateNode', 'book', { title: 'T' }).build())).toMatchObject([
      { problem: 'MISSING_INPUT', step: 'book', message: 'BookCreateNode needs authorId: give it in the inputs, or connect it' },
    ])
  })

  it('checks what comes from the input of the run', () => {
    const input = z.object({ name: z.string() })
    const build = (output: string) => () =>
      new WorkflowBuilder('w', { input, nodes: db })
        .addNode('AuthorListNode', 'list')
        .addConnection('input', output, 'list', 'limit')
        .build()
    expect(problemsOf(build('name'))).toMatchObject([{ message: 'input.name → limit: expected integer, gets string' }])
    expect(problemsOf(build('nam'))).toMatchObject([
      { message: 'input.nam → limit: the result of "input": there is no "nam"; did you mean name?' },
    ])
  })

  it('refuses the result of a step that may be skipped, unless the step says what then', () => {
    const skipping = () => new WorkflowBuilder('w').add('maybe', increment, () => ({ n: 1 }), { when: () => false })
    const taking = (options: object) => () =>
      skipping()
        .add('next', echo, ({ maybe }) => maybe, options)
        .build()
    expect(problemsOf(taking({}))).toMatchObject([{ problem: 'SKIPPED_RESULT', step: 'next' }])
    expect(
      problemsOf(() =>
        skipping()
          .add('next', echo, ({ maybe }) => maybe, { ifSkipped: 'skip' })
          .add('last', echo, ({ next }) => next)
          .build(),
      ),
    ).toMatchObject([{ problem: 'SKIPPED_RESULT', step: 'last' }])
    expect(taking({ ifSkipped: 'undefined' })).not.toThrow()
  })

  it('keeps nodes that reach beyond the database out of transactions, unless allowed', () => {
    const build = (options: object) => () => new WorkflowBuilder('w', options).add('mail', mail, () => 'x').build()
    expect(problemsOf(build({ transaction: 'workflow' }))).toMatchObject([{ problem: 'EXTERNAL_IN_TRANSACTION', step: 'mail' }])
    expect(problemsOf(build({ transaction: ['mail'] }))).toMatchObject([{ problem: 'EXTERNAL_IN_TRANSACTION', step: 'mail' }])
    expect(build({ transaction: 'workflow', allowExternal: true })).not.toThrow()
    const outer = new WorkflowBuilder('outer', { transaction: 'step' }).add('inner', build({})(), () => ({}))
    expect(problemsOf(() => outer.build())).toMatchObject([{ problem: 'EXTERNAL_IN_TRANSACTION', step: 'inner' }])
  })

  it('refuses a transaction that waits for a step that waits for it', () => {
    const builder = new WorkflowBuilder('w', { transaction: ['a', 'c'] })
      .add('a', echo, () => 1)
      .add('b', echo, ({ a }) => a)
      .add('c', echo, ({ b }) => b)
    expect(problemsOf(() => builder.build())).toMatchObject([
      { problem: 'BROKEN_REGION', message: expect.stringContaining('a + c → b → a + c') },
    ])
  })

  it('refuses what else cannot be', () => {
    const wrong = (builder: { build(): unknown }) => problemsOf(() => builder.build()).map(({ problem }) => problem)
    expect(wrong(byName().addNode('AuthorStreamNode', 'a'))).toEqual(['INVALID_OPTION'])
    expect(wrong(byName().addNode(echo, 'a').addNode(echo, 'a'))).toEqual(['DUPLICATE_STEP'])
    expect(wrong(byName().addNode(echo, 'input'))).toEqual(['INVALID_OPTION'])
    expect(wrong(byName().addNode(echo, 'a', {}, { timeoutMs: 0, retry: { attempts: 1 } }))).toEqual(['INVALID_OPTION', 'INVALID_OPTION'])
    expect(wrong(new WorkflowBuilder('w', { transaction: 'all' as never }))).toEqual(['INVALID_OPTION'])
    expect(() => new WorkflowBuilder('w').addNode('AuthorCreateNode', 'a')).toThrow('say { nodes: db }')
    expect(() => new WorkflowBuilder('w', { transactions: 'step' } as never)).toThrow('did you mean transaction?')
    expect(() => new WorkflowBuilder('w').add('a', echo, () => 1, { onErorr: 1 } as never)).toThrow('did you mean onError?')
  })

  it.each(['in a row', 'side by side'])('orders 10,000 steps in under a second: %s', TIMED, (shape) => {
    const startedMs = performance.now()
    const builder = new WorkflowBuilder('many')
    for (let at = 0; at < 10_000; at++)
      builder.addNode(echo, `s${at}`, {}, shape === 'side by side' || at === 0 ? {} : { after: [`s${at - 1}`] })
    const workflow = builder.build()
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(workflow.plan().waves).toHaveLength(shape === 'in a row' ? 10_000 : 1)
  })
})

describe('a built workflow', () => {
  const library = () =>
    new WorkflowBuilder('library', { transaction: ['author', 'book'] })
      .add('author', authors.create, () => ({ name: 'Ada' }))
      .add('book', books.create, ({ author }) => ({ authorId: author.id, title: 'Notes' }))
      .add('count', books.count, () => undefined, { after: ['book'], when: () => true })
      .add('mail', mail, ({ book }) => book.title)
      .build()

  it('is a node: described, with the greatest effect of its steps', () => {
    const workflow = library()
    expect({ ...workflow }).toMatchObject({ model: undefined, operation: 'workflow', effect: 'external', isStream: false })
    expect(workflow.name).toBe('library')
    expect(Object.keys(workflow.outputSchema.properties as object)).toEqual(['author', 'book', 'count', 'mail'])
  })

  it('shows its plan', () => {
    const { steps, ...plan } = library().plan()
    expect(plan).toEqual({
      workflow: 'library',
      waves: [['author'], ['book'], ['count', 'mail']],
      transactions: [['author', 'book']],
      writes: ['authors', 'books'],
    })
    expect(steps[1]).toEqual({
      step: 'book',
      node: 'BookCreateNode',
      effect: 'write',
      model: 'Book',
      operation: 'create',
      tables: { reads: [], writes: ['books'] },
      sql: 'insert into "books" ("author_id", "title") values (?, ?) returning "id", "author_id", "title"',
      needs: ['author'],
      wave: 1,
      isMap: false,
      isConditional: false,
    })
  })

  it('shows which tables each step reads and writes, and its statement, though nothing runs', () => {
    const sales = db.register(
      sqlNode({
        name: 'Sales',
        sql: `with best as (select id from books b join authors on true where title <> ' from x ')
          insert into main.sales select id from best, "other sales", (select 1 from third) t where extract_from(1) > :n`,
        fetch: 'execute',
      }),
    )
    const inner = new WorkflowBuilder('inner')
      .add('gone', books.delete, ({ input }) => ({ where: { id: input.id as number } }))
      .add('author', authors.readOrThrow, ({ gone }) => ({ where: { id: gone.authorId } }))
      .build()
    const { steps, writes } = new WorkflowBuilder('all', { nodes: db })
      .add('sales', sales, () => ({ n: 1 }))
      .add('inner', inner, () => ({ id: 1 }))
      .addNode('BookUpdateNode', 'set', { set: { title: 'x' } }, { after: ['inner'] })
      .addConnection('inner', 'gone.id', 'set', 'where.id')
      .map(
        'each',
        books.list,
        () => ['a'],
        (title, { set }) => ({ where: { title, id: set as number } }),
      )
      .add('mail', mail, ({ inner: { gone } }) => gone.title, { after: ['each'] })
      .build()
      .plan()
    expect(writes).toEqual(['main.sales', 'books'])
    expect(steps.map(({ step, tables }) => [step, tables])).toEqual([
      ['sales', { reads: ['books', 'authors', 'other sales', 'third'], writes: ['main.sales'] }],
      ['inner', { reads: ['authors'], writes: ['books'] }],
      ['set', { reads: [], writes: ['books'] }],
      ['each', { reads: ['books'], writes: [] }],
      ['mail', undefined],
    ])
    expect(steps.map(({ sql }) => sql?.replaceAll(/\s+/g, ' ').slice(0, 40))).toEqual([
      'with best as (select id from books b joi',
      undefined,
      'update "books" set "title" = ? where "id',
      'select "id", "author_id", "title" from "',
      undefined,
    ])
  })

  it('draws itself', () => {
    expect(library().toMermaid().split('\n')).toEqual([
      'flowchart TD',
      '  subgraph t0["transaction"]',
      '    s0["author<br/>AuthorCreateNode"]',
      '    s1["book<br/>BookCreateNode"]',
      '  end',
      '  s2("count<br/>BookCountNode")',
      '  s3["mail<br/>Mail"]',
      '  s0 --> s1',
      '  s1 --> s2',
      '  s1 --> s3',
      '',
    ])
  })

  it('becomes JSON and comes back, where its steps are data', () => {
    const built = byName('shelf', { transaction: 'workflow' })
      .addNode('AuthorCreateNode', 'author', { name: 'Ada' })
      .addNode('BookCreateNode', 'book', { title: 'Notes' }, { retry: { attempts: 3, delayMs: 1 }, timeoutMs: 500 })
      .addConnection('author', 'id', 'book', 'authorId')
      .addNode('Increment', 'next', {}, { after: ['book'] })
      .addConnection('author', 'id', 'next', 'n')
      .build()
    const json = JSON.stringify(built)
    const back = WorkflowBuilder.fromJSON(json, db)
    expect(JSON.stringify(back)).toBe(json)
    expect(back.plan()).toEqual(built.plan())
    expect(JSON.parse(json).latchworkWorkflow).toBe(1)
  })

  it('has no JSON where a step has functions', () => {
    expect(problemsOf(() => library().toJSON()).map(({ problem, step }) => [problem, step])).toContainEqual(['NOT_SERIALIZABLE', 'author'])
  })

  it('is not read from JSON of a newer version, or that is none', () => {
    const newer = { latchworkWorkflow: 2, name: 'w', steps: [] } as WorkflowJson
    expect(problemsOf(() => WorkflowBuilder.fromJSON(newer, db))).toMatchObject([
      { problem: 'NEWER_VERSION', message: expect.stringContaining('version 2') },
    ])
    expect(() => WorkflowBuilder.fromJSON({ latchworkWorkflow: 1, name: 'w' } as never, db)).toThrow('json.steps: expected a list')
    expect(() => WorkflowBuilder.fromJSON('[]', db)).toThrow('json: expected an object')
    const unknown = {
      latchworkWorkflow: 1,
      name: 'w',
      steps: [{ id: 'a', node: 'Nobody', connections: [{ from: 'z', output: '', to: 'x' }] }],
    }
    expect(problemsOf(() => WorkflowBuilder.fromJSON(unknown, db)).map(({ problem }) => problem)).toContain('UNKNOWN_NODE')
  })

  it('does not run failing nodes to be built', () => {
    expect(() => new WorkflowBuilder('w').add('a', failing, () => JSON.parse('{').x).build()).not.toThrow()
  })
})
