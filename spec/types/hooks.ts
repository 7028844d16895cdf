import { type CreateInput, createDatabase, field, type Generated, type Hooks, id, model, type Row } from 'latchwork'
import type { Equal, Holds } from './equal.js'

@model()
class User {
  @id() id!: Generated<number>
  @field.text() email!: string
}

const models = { users: User }

/** What each hook is given, as the compiler sees it. */
export const hooks: Hooks<typeof models> = {
  users: {
    create: {
      before: ({ input }) => {
        const given: Holds<Equal<typeof input, Readonly<CreateInput<User>>>> = true
        // @ts-expect-error it is not changed in place
        input.email = ''
        return given ? { ...input, email: input.email.trim() } : undefined
      },
      after: [
        ({ output }) => void (output satisfies Row<User>),
        // the nodes of the database, as it has them
        async ({ nodes, output }) => void (await nodes.users.read({ where: { id: output.id } })),
      ],
    },
    upsert: { after: ({ output }) => void (output.outcome satisfies 'created' | 'updated' | 'unchanged') },
    bulkDelete: { after: async ({ output }) => void (output.count satisfies number) },
  },
}

// @ts-expect-error a read has no hooks
export const read: Hooks<typeof models> = { users: { read: {} } }
// @ts-expect-error not what an update takes
export const update: Hooks<typeof models> = { users: { update: { before: () => ({ email: 'x' }) } } }
// @ts-expect-error of a restore the row comes back
export const restore: Hooks<typeof models> = { users: { restore: { after: ({ output }) => void output.outcome } } }

/** The hooks follow from the models, and not the other way about. */
export const inferred = () =>
  createDatabase({ url: 'sqlite::memory:', models, hooks: { users: { create: { before: ({ input }) => input } } } })

// @ts-expect-error no such model
export const refused = () => createDatabase({ url: 'sqlite::memory:', models, hooks: { user: {} } })
