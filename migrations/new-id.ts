import { ConfigurationError } from '../lib/errors.js'

/** An id's length leaves room for `_lw_` and endings in the names that databases cut. */
const MAX_ID = 60
const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z_/

/**
 * The id of a new migration: `20261123T031500Z_add_email` from the time in UTC and a name. It sorts behind all others.
 *
 * @param name  any words; what is not a letter or digit becomes `_`
 * @param ids   of the migrations that are there
 * @throws {ConfigurationError} the name has no letter or digit, or is too long
 */
export function newMigrationId(name: string, now: Date, ids: readonly string[]): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '')
  if (slug === '') throw new ConfigurationError('name', `expected letters or digits, got "${name}"`)
  const latestMs = Math.max(...ids.map((id) => timeOf(id) ?? 0), 0)
  const time = new Date(Math.max(now.getTime(), latestMs + 1_000)).toISOString().replaceAll(/-|:|\.\d+/g, '')
  const id = `${time}_${slug}`
  if (id.length > MAX_ID) throw new ConfigurationError('name', `"${slug}" is too long: ${id.length - MAX_ID} characters less will do`)
  return id
}

/** The milliseconds that an id begins with; undefined: it has another form. */
function timeOf(id: string): number | undefined {
  const [, year, month, day, hour, minute, second] = TIME.exec(id) ?? []
  return year === undefined ? undefined : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
