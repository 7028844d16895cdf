const FEWEST = 20
const asked = Number(process.env.LATCHWORK_SPEC_ROUNDS ?? FEWEST)
if (!Number.isInteger(asked) || asked < FEWEST) throw new Error(`LATCHWORK_SPEC_ROUNDS: expected a whole number from ${FEWEST}`)

/** How often specs repeat what depends on which of two things comes first: 20, or `LATCHWORK_SPEC_ROUNDS`, which `npm run test:soak -- --faults` sets. */
export const ROUNDS = asked

/** The same for whole programs, which take a machine's time from the specs beside them: 2, or as many as were asked for. */
export const PROGRAM_ROUNDS = process.env.LATCHWORK_SPEC_ROUNDS === undefined ? 2 : asked

/** Rounds that go on side by side, where each has a proxy and a pool of its own. */
const LANES = 4

/** How many milliseconds a test of {@link ROUNDS} rounds may take, each `roundMs` at its slowest. */
export function roundsTimeoutMs(roundMs: number): number {
  return 20_000 + ROUNDS * roundMs
}

/** Runs `round` {@link ROUNDS} times, four at a time. */
export async function inLanes(round: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < ROUNDS) await round(next++)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}
