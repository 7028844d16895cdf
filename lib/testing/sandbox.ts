import { type Database, type Models, transactionsOf } from '../database.js'

/**
 * Runs `fn` in a transaction that is rolled back in any case: for a test that leaves nothing behind. To the code under test it is none. A
 * call that fails costs nothing but itself; `db.transaction` takes every option, and commits as far as it can tell, after which the work
 * given to `db.afterCommit` runs; what it would do on another connection (`propagation: 'new'`, `db.detached`) is done on this one.
 *
 * What it cannot be: transactions in it are savepoints, so that `isolation` and `readOnly` are taken and without effect, and those that are
 * begun at once run one after the other. A deadlock, and a statement that is stopped by `timeoutMs` or a signal, end all of it.
 *
 * Many sandboxes may run at once, each on a connection of its own; on SQLite, which has one writer, they run one after the other. One in
 * another is a savepoint of it.
 *
 * ```ts
 * it('creates an order', () => sandbox(db, async () => { … }))
 * ```
 *
 * @returns what `fn` gave
 * @throws what `fn` threw
 */
export function sandbox<T, M extends Models>(db: Database<M>, fn: () => Promise<T>): Promise<T> {
  return transactionsOf(db).sandbox(fn)
}
