import { onAbort } from '../abort.js'
import type { Pool } from './pool.js'

/** The pool, once `warm` has opened its first connections; closed again if that fails, and broken off when `signal` is aborted. */
export async function warmed<P extends Pick<Pool, 'close'>>(pool: P, warm: () => Promise<void>, signal?: AbortSignal): Promise<P> {
  const breakOff = () => void pool.close(0)
  const endListening = signal && onAbort(signal, breakOff)
  try {
    if (signal?.aborted) breakOff()
    await warm()
    return pool
  } catch (error) {
    await pool.close(0)
    throw error
  } finally {
    endListening?.()
  }
}

/**
 * Settles when `needed` of the dials have gone well, or all have ended: then with the first failure, if there is one. Each dial
 * gives its failure, and never rejects.
 */
export function failureOf(dials: readonly Promise<unknown>[], needed: number): Promise<unknown> {
  return new Promise((resolve) => {
    if (needed <= 0 || dials.length === 0) resolve(undefined)
    const failures: unknown[] = []
    let opened = 0
    const settle = (failure: unknown) => {
      if (failure === undefined) opened++
      else failures.push(failure)
      if (opened === needed) resolve(undefined)
      else if (opened + failures.length === dials.length) resolve(failures[0])
    }
    for (const dial of dials) void dial.then(settle)
  })
}
