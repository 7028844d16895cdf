// Signs three people up, one of them in vain: npm run sample:sign-up
// DATABASE_URL=postgres://user:password@127.0.0.1:5432/shop does the same there; mysql://… and mariadb://… too.
import { createDatabase, WorkflowError } from 'latchwork'
import { LocalRuntime } from 'latchwork/workflow'
import { Account, Workspace } from './models.js'
import { signUpWorkflow } from './sign-up.js'

const db = createDatabase({ url: process.env.DATABASE_URL || 'sqlite::memory:', models: { accounts: Account, workspaces: Workspace } })
await db.createTables()

const signUp = signUpWorkflow(db, async (to) =>
  console.log(`  mail to ${to}, when ${await db.nodes.accounts.count()} accounts are committed`),
)
const runtime = new LocalRuntime(db)

console.log(
  signUp
    .plan()
    .steps.map(({ step, node }) => `${step} (${node})`)
    .join(' → '),
)
for (const visitor of [
  { email: 'ada@example.com', workspace: 'engine' },
  { email: 'bob@example.com', workspace: 'engine' },
  { email: 'bob@example.com', workspace: 'compiler' },
]) {
  console.log(`${visitor.email} wants ${visitor.workspace}`)
  try {
    const { output } = await runtime.execute(signUp, visitor)
    console.log(`  has ${output.workspace}`)
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error
    const code = (error.cause as { code?: string }).code
    console.log(`  ${error.step}: ${code}; what stays: ${error.committed.join(', ') || 'nothing'}`)
  }
}
await db.close()
