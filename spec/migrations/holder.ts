import { createConnection } from 'mysql2/promise'
import pg from 'pg'

/** A session of the plain driver with a transaction that it keeps open on a table. */
export class Holder {
  readonly #end: () => Promise<void>
  #ending: Promise<void> | undefined

  private constructor(end: () => Promise<void>) {
    this.#end = end
  }

  /** Has read it. */
  static reading(url: string, table: string): Promise<Holder> {
    return Holder.#open(url, `select * from ${table}`)
  }

  /** Has changed a row of it. */
  static writing(url: string, table: string): Promise<Holder> {
    return Holder.#open(url, `delete from ${table} where id = 1`)
  }

  static async #open(url: string, sql: string): Promise<Holder> {
    if (url.startsWith('postgres')) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => undefined)
      await client.connect()
      await client.query('begin')
      await client.query(sql)
      return new Holder(() => client.end())
    }
    const connection = await createConnection({ uri: url })
    await connection.query('start transaction')
    await connection.query(sql)
    return new Holder(() => connection.end())
  }

  /** Rolls it back. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }
}
