/** What the process warns of while `fn` runs, and right after. Listens as a program would. */
export async function warningsDuring(fn: () => Promise<unknown>): Promise<readonly (Error & { code?: string; detail?: string })[]> {
  const warnings: Error[] = []
  const listener = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listener)
  try {
    await fn()
    // they are told of a turn later
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listener)
  }
  return warnings
}
