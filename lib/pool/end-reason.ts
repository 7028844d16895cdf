/** Why a connection was ended. */
export type EndReason =
  /** It failed, or came back in a state that cannot be mended. */
  | 'broken'
  /** It had been idle and did not answer a check. */
  | 'validation'
  /** Its session could not be put back to its defaults. */
  | 'reset'
  /** It reached `maxLifetimeMs`. */
  | 'lifetime'
  /** It was idle for `idleTimeoutMs`. */
  | 'idle'
  /** The pool was closed. */
  | 'closed'
