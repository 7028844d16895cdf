import type { Pool } from './pool.js'

/** The pool, once `warm` has opened its first connections; closed again if that fails. */
export async function warmed<P extends Pick<Pool, 'close'>>(pool: P, warm: () => Promise<void>): Promise<P> {
  try {
    await warm()
    return pool
  } catch (error) {
    await pool.close(0)
    throw error
  }
}
