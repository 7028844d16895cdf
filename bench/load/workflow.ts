import type { Account } from '../support/account.js'
import { accountOf, type NewAccount } from '../support/accounts.js'

type StoredAccount = Pick<Account, 'age'> & { readonly id: number }

/** The calls that workflows are made of, as one contender makes them. */
export interface AccountCalls {
  create(account: NewAccount): Promise<StoredAccount>
  read(id: number): Promise<StoredAccount>
  update(id: number, age: number): Promise<StoredAccount>
  count(): Promise<number>
  remove(id: number): Promise<unknown>
}

/** A contender's pool. Opens its first connection when that is needed. */
export interface AccountPool extends AccountCalls {
  /** Opens every connection and prepares the statements of a workflow on each. Leaves no row. */
  warm(): Promise<void>
  close(): Promise<void>
}

/**
 * One workflow: inserts the account of this number, reads it by its id, makes it a year older, counts the accounts; each its
 * own awaited call. Gives the account's id.
 */
export async function runWorkflow(calls: AccountCalls, number: number): Promise<number> {
  const { id } = await calls.create(accountOf(number))
  const read = await calls.read(id)
  const updated = await calls.update(id, read.age + 1)
  const count = await calls.count()
  if (updated.age !== ageAfter(number) || count < 1) {
    throw new Error(`workflow ${number} ended with age ${updated.age} and a count of ${count}`)
  }
  return id
}

/** The age that the account of this number has after its workflow. */
export function ageAfter(number: number): number {
  return accountOf(number).age + 1
}

/** A workflow whose row is gone afterwards. */
export async function rehearse(calls: AccountCalls, number: number): Promise<void> {
  await calls.remove(await runWorkflow(calls, number))
}

/** Numbers of rehearsals, one a connection: no workflow that counts has them. */
export function rehearsalNumbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => -1 - index)
}
