/** JSON with the keys of objects in order: the same text for the same value. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

export function sameJson(one: unknown, other: unknown): boolean {
  return one === other || jsonText(one) === jsonText(other)
}
