import type { Beginning } from './connection.js'

/** What ends a transaction, in the words of whoever begins it: before its first statement there is nothing to end. */
export const ENDS: readonly string[] = ['commit', 'rollback']

/** Breaks off by `giveUp` where BEGIN is not answered in time. The function given back says that it is. */
export function watchBegin({ withinMs, unanswered }: Beginning, giveUp: (error: Error) => void): () => void {
  if (withinMs === undefined) return () => undefined
  let isAnswered = false
  const late = () => {
    if (!isAnswered) giveUp(unanswered())
  }
  // after a stall of the event loop the timer runs before the sockets are read: an answer that has come by now counts
  const timer = setTimeout(() => setImmediate(late), withinMs)
  return () => {
    isAnswered = true
    clearTimeout(timer)
  }
}
