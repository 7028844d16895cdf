/**
 * Floors of `lib/`, from the ground up. Imports point down only, and rooms on one floor do not see each other.
 *
 * A room is a folder or a file. Errors lie below their neighbours: everything throws them.
 */
export const FLOORS: readonly (readonly string[])[] = [
  ['lib/errors', 'lib/abort'],
  ['lib/events', 'lib/deadline', 'lib/maybe-promise', 'lib/latency', 'lib/warn', 'lib/nearest-name', 'lib/sql-text', 'lib/later'],
  ['lib/lock', 'lib/model', 'lib/logger'],
  ['lib/pool'],
  ['lib/dialect'],
  ['lib/query'],
  ['lib/nodes'],
  ['lib/database', 'lib/workflow', 'lib/metrics', 'lib/channels'],
  ['lib/channels/http', 'lib/channels/cli', 'lib/channels/mcp', 'lib/testing'],
  ['lib/index'],
]

/** Folders inside one room that do not see each other. */
export const WALLED_OFF: readonly (readonly string[])[] = [['lib/dialect/postgres', 'lib/dialect/mysql', 'lib/dialect/sqlite']]

const UP_TO_DIALECT = FLOORS.slice(0, FLOORS.findIndex((rooms) => rooms.includes('lib/dialect')) + 1).flat()

/** Which rooms each root may import from, besides packages. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: ['lib'],
  decorators: ['decorators', 'lib/model', 'lib/errors'],
  migrations: ['migrations', ...UP_TO_DIALECT],
  index: ['lib', 'decorators'],
  samples: ['samples'],
  bench: ['bench'],
}

/** Whether a file lies in a room, which is a folder or, without its ending, the file itself. */
export function isIn(room: string, path: string): boolean {
  return path === `${room}.ts` || path.startsWith(`${room}/`)
}
