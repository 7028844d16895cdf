/** Of an object, the properties of these names that are there. */
export function pick<T extends object, K extends keyof T>(from: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => (names as readonly string[]).includes(name))) as Pick<T, K>
}
