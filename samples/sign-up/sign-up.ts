import { type Database, defineNode } from 'latchwork'
import { WorkflowBuilder } from 'latchwork/workflow'
import type { Account, Workspace } from './models.js'

export type Accounts = Database<{ accounts: typeof Account; workspaces: typeof Workspace }>

/** What a visitor fills in. */
export interface SignUp {
  readonly email: string
  readonly workspace: string
}

/** An account and its workspace, both or neither. Mail goes out when they are committed, and never for what is rolled back. */
export function signUpWorkflow(db: Accounts, send: (to: string) => Promise<void>) {
  const { accounts, workspaces } = db.nodes
  const welcomeLater = defineNode({
    name: 'WelcomeLater',
    effect: 'write',
    run: (email) => db.afterCommit(() => send(String(email))),
  })
  return new WorkflowBuilder<SignUp>('SignUp', { transaction: 'workflow' })
    .add('account', accounts.create, ({ input }) => ({ email: input.email }))
    .add('welcome', welcomeLater, ({ account }) => account.email)
    .add('workspace', workspaces.create, ({ input, account }) => ({ name: input.workspace, ownerId: account.id }))
    .output(({ account, workspace }) => ({ accountId: account.id, workspace: workspace.name }))
    .build()
}
