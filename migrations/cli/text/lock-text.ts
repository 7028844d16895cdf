import type { LockDocument } from '../../documents.js'
import { holderText } from '../progress.js'

/** Who has the lock. */
export function lockText({ holder, terminated, warnings }: LockDocument): string {
  if (terminated) return `the session that had the lock was ended${holderText(holder ?? undefined)}`
  return [holder === null ? 'nobody has the lock' : `the lock is taken${holderText(holder)}`, ...warnings].join('\n')
}
