import type { SqlTraits } from '../../sql-text.js'

/** How SQLite reads SQL. Source: sqlite.org/lang_expr.html and lang_comment.html. */
export const sqlTraits: SqlTraits = Object.freeze({
  backslashEscapes: false,
  escapeStrings: false,
  doubleQuoted: 'name',
  backtickNames: true,
  bracketNames: true,
  dollarQuotes: false,
  nestedComments: false,
  hashComments: false,
  dashesNeedSpace: false,
  runComments: false,
  placeholder: /\?\d*|[@$][A-Za-z_]\w*/y,
  routineBody: 'begin',
})
