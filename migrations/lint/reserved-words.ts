/**
 * Words that need quotes as a name on at least one of the three engines, and that somebody may take for a name. Source: PostgreSQL 18
 * manual, appendix C; MySQL 8.0 manual, 11.3; MariaDB, "Reserved Words"; sqlite.org/lang_keywords.html.
 */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `add all alter analyse analyze and any array as asc authorization before between both by call cascade case cast change check collate column
  condition constraint continue convert create cross cube cume_dist current_date current_role current_time current_timestamp current_user cursor
  database databases declare default deferrable delayed delete desc describe deterministic distinct div do drop dual each else elseif empty end
  escape except exists exit explain false fetch first_value for force foreign from fulltext function general generated grant group grouping groups
  having if ignore in index infile initially inner inout insert intersect interval into is isnull iterate join json_table key keys kill lag
  last_value lateral lead leading leave left like limit linear lines load localtime localtimestamp lock long loop match mod modifies natural not
  notnull nth_value ntile null of offset on only optimize option optionally or order out outer outfile over overlaps partition percent_rank placing
  precision primary procedure purge range rank read reads recursive references regexp release rename repeat replace require resignal restrict return
  returning revoke right rlike row row_number rows schema schemas select sensitive separator session_user set show signal similar some spatial
  specific sql ssl starting stored straight_join symmetric system table tablesample terminated then to trailing transaction trigger true undo union
  unique unlock unsigned update usage use user using values varying verbose virtual when where while window with write xor zerofill`
    .trim()
    .split(/\s+/),
)
