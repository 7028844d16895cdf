/** Whole numbers from 1 to `highest`, uniform; the same seed gives the same numbers. Source: Steele et al., SplitMix, 32-bit form. */
export function randomKeys(seed: number, highest: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    mixed ^= mixed >>> 15
    return 1 + Math.floor(((mixed >>> 0) / 2 ** 32) * highest)
  }
}
