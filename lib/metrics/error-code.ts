/** What an error counts as: the code of one of ours; `OTHER` for what anybody else throws, whose codes have no end. */
export function errorCode(error: Error): string {
  // not by class: another copy of the package has classes of its own
  const { code, retryable } = error as { readonly code?: unknown; readonly retryable?: unknown }
  return typeof code === 'string' && typeof retryable === 'boolean' ? code : 'OTHER'
}
