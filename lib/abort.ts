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
