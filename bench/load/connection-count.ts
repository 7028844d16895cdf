import { setTimeout as sleep } from 'node:timers/promises'
import type { Inspector } from '../support/inspector.js'

/** Every contender's sessions bear this name on the server, or one that begins with it. */
export const APPLICATION_NAME = 'latchwork-bench'

/** A look costs the client some 0.1 ms: 0.5 % of what is measured, for all contenders alike. */
const PAUSE_MS = 20

/**
 * Most sessions that the server showed from the start of `work` until it had ended: once more then, while its pools are open.
 * Where they are more than `limit`, says which.
 */
export async function mostConnectionsDuring(inspector: Inspector, limit: number, work: () => Promise<void>): Promise<number> {
  let most = 0
  let isOver = false
  const look = async () => {
    const sessions = await inspector.sessions(APPLICATION_NAME)
    if (sessions.length > Math.max(most, limit)) console.error(`more connections than ${limit}:\n${sessions.toSorted().join('\n')}`)
    most = Math.max(most, sessions.length)
  }
  const lookAgainAndAgain = async () => {
    for (; !isOver; await sleep(PAUSE_MS)) await look()
  }
  const ended = () => {
    isOver = true
  }
  await Promise.all([work().finally(ended), lookAgainAndAgain()])
  await look()
  return most
}
