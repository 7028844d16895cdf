import type { SqlTraits } from '../../sql-text.js'

/** How PostgreSQL reads SQL, with `standard_conforming_strings` on, which is what a server has unless it is set otherwise. Source: PostgreSQL manual, 4.1 "Lexical Structure". */
export const sqlTraits: SqlTraits = Object.freeze({
  backslashEscapes: false,
  escapeStrings: true,
  doubleQuoted: 'name',
  backtickNames: false,
  bracketNames: false,
  dollarQuotes: true,
  nestedComments: true,
  hashComments: false,
  dashesNeedSpace: false,
  runComments: false,
  placeholder: /\$\d+/y,
  routineBody: 'begin atomic',
})
