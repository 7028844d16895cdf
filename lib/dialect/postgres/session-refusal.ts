import { PoolerModeError } from '../../errors.js'

/** The error for what a pooler in transaction mode cannot give. */
export function sessionRefusal(need: string): PoolerModeError {
  return new PoolerModeError(
    `${need} needs a session of its own, and the pooler before the server gives a connection for one transaction at a time; where each has a session, set pool.pooler to 'session'`,
  )
}
