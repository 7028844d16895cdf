import type { Seed } from 'latchwork/migrations'

/** An author to begin with, once an environment. A seed sees tables, as a migration does, and no models. */
const seed: Seed = async ({ db, log, env }) => {
  await db
    .insertInto('authors')
    .values({ name: 'Grace', handle: `grace-${env}` })
    .execute()
  log(`Grace is there for ${env}`)
}
export default seed
