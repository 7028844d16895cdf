/** Runs one step and prints what it says it did, and how long it took. */
export async function step(label: string, run: () => Promise<string>): Promise<void> {
  const startedMs = performance.now()
  const outcome = await run()
  const tookMs = performance.now() - startedMs
  console.log(`  ${label.padEnd(12)} ${outcome.padEnd(72)} ${formatMs(tookMs).padStart(9)}`)
}

/** `171075` → `171,075`, in whatever country this runs. */
export function count(rows: number): string {
  return rows.toLocaleString('en-US')
}

function formatMs(ms: number): string {
  return ms < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`
}
