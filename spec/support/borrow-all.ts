/** What of a database is needed here. */
interface Transactional {
  transaction(work: () => Promise<void>, options: { readonly readOnly: true }): Promise<void>
}

/** Has a database make `count` connections, all of them borrowed at one moment, each for a transaction that makes `call`. */
export async function borrowAll(db: Transactional, count: number, call: () => Promise<unknown>): Promise<void> {
  let missing = count
  let giveBack: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    giveBack = resolve
  })
  const borrow = async () => {
    await call()
    if (--missing === 0) giveBack()
    await all
  }
  await Promise.all(Array.from({ length: count }, () => db.transaction(borrow, { readOnly: true })))
}
