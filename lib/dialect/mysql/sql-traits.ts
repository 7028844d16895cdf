import type { SqlTraits } from '../../sql-text.js'

/** How MySQL and MariaDB read SQL in the mode that every session here is put into: a double quote is text, a backslash escapes. Source: MySQL manual, 11.1 "Literal Values" and 11.7 "Comments". */
export const sqlTraits: SqlTraits = Object.freeze({
  backslashEscapes: true,
  escapeStrings: false,
  doubleQuoted: 'text',
  backtickNames: true,
  bracketNames: false,
  dollarQuotes: false,
  nestedComments: false,
  hashComments: true,
  dashesNeedSpace: true,
  runComments: true,
  placeholder: /\?/y,
  routineBody: 'begin',
})
