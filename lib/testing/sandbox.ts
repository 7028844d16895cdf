import type { Database, Models } from '../database.js'

/**
 * Runs `fn` in a transaction that is rolled back in any case: for a test that leaves nothing behind. Transactions in it are savepoints, so
 * that code under test commits as far as it can tell. Many sandboxes may run at once, each on a connection of its own; on SQLite, which has
 * one writer, they run one after the other. Work given to `db.afterCommit` is dropped.
 *
 * ```ts
 * it('creates an order', () => sandbox(db, async () => { … }))
 * ```
 *
 * @returns what `fn` gave
 * @throws what `fn` threw
 */
export async function sandbox<T, M extends Models>(db: Pick<Database<M>, 'transaction'>, fn: () => Promise<T>): Promise<T> {
  const undo = new Undo<T>()
  try {
    await db.transaction(async () => {
      undo.value = await fn()
      throw undo
    })
  } catch (error) {
    if (error !== undo) throw error
  }
  return undo.value as T
}

/** Thrown to roll back, and seen by nobody else. */
class Undo<T> extends Error {
  value: T | undefined
}
