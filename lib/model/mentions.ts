/** Whether SQL of the user's own may speak of a column: it has the name as a word, in whatever case. True too often does no harm. */
export function mentions(sql: string, column: string): boolean {
  const name = column.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${name}(?![\\p{L}\\p{N}_$])`, 'iu').test(sql)
}
