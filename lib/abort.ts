/** Who is to be told when a signal is aborted, and the one listener that tells them. */
interface Audience {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const audiences = new WeakMap<AbortSignal, Audience>()

/**
 * Calls back once, when `signal` is aborted from now on. However many share a signal, it has one listener of ours: Node looks through
 * all of them for each that is added or taken away, and warns of a leak where there are more than ten.
 *
 * @returns ends it
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const audience = audiences.get(signal) ?? gather(signal)
  const { callbacks, listener } = audience
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0 || audiences.get(signal) !== audience) return
    audiences.delete(signal)
    signal.removeEventListener('abort', listener)
  }
}

/** A signal that either of two aborts, until it has ended. */
export interface EitherSignal {
  readonly signal: AbortSignal
  end(): void
}

/** Joins two signals for as long as they are listened to: of `AbortSignal.any` Node 20 keeps a trace for ever in the one that lives longer. */
export function eitherSignal(one: AbortSignal, other: AbortSignal): EitherSignal {
  const either = new AbortController()
  const ends = [one, other].map((signal) => {
    if (signal.aborted) either.abort(signal.reason)
    return onAbort(signal, () => either.abort(signal.reason))
  })
  return {
    signal: either.signal,
    end() {
      for (const end of ends) end()
    },
  }
}

function gather(signal: AbortSignal): Audience {
  const callbacks = new Set<() => void>()
  const listener = () => {
    audiences.delete(signal)
    for (const callback of callbacks) callback()
  }
  signal.addEventListener('abort', listener, { once: true })
  const audience = { callbacks, listener }
  audiences.set(signal, audience)
  return audience
}
