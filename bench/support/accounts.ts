import type { Account } from './account.js'

/** What an account is made with. */
export type NewAccount = Pick<Account, 'email' | 'name' | 'age' | 'active' | 'seenAt'>

const FIRST_SEEN_MS = Date.UTC(2024, 0, 1)

/** The account that has this number, the same in every run. */
export function accountOf(number: number): NewAccount {
  return {
    email: `account-${number}@example.com`,
    name: `Account number ${number}`,
    age: 18 + (number % 80),
    active: number % 3 !== 0,
    seenAt: new Date(FIRST_SEEN_MS + number * 1_001),
  }
}

/** Accounts 1 to `count`. */
export function* accounts(count: number): Generator<NewAccount> {
  for (let number = 1; number <= count; number++) yield accountOf(number)
}
