/** How a command ends; the numbers are stable. */
export type ExitCode = keyof typeof EXIT_CODES

/** What each exit code says. */
export const EXIT_CODES = Object.freeze({
  0: 'done, or nothing to do',
  1: 'unexpected',
  2: 'usage, configuration or files, or a pooler that gives no session',
  3: 'a decision is needed',
  4: 'migrations are pending, or models differ',
  5: 'the database differs from its snapshot',
  6: 'the history does not match: a changed or missing file, or two heads',
  7: 'the lock was not obtained',
  8: 'failed; the database is unchanged',
  9: 'failed; partly applied',
  10: 'cannot connect',
  11: 'lint errors',
  130: 'interrupted; the state is true',
  143: 'ended; the state is true',
})
