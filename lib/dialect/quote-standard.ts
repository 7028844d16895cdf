/** A name as standard SQL quotes it: PostgreSQL and SQLite. */
export function quoteStandard(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
