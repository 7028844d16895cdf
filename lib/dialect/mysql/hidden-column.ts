import type { IndexSchema, TableSchema, UniqueSchema } from '../../model/schema.js'
import { fitName } from '../../model/schema-names.js'
import { conditionSql } from '../ddl-conditions.js'
import { withoutNot } from '../without-not.js'
import { quote, SYNTAX } from './column-ddl.js'

/** Of an indexed expression; as much as a key holds. */
const EXPRESSION_LENGTH = 768

/** Whether the index stands on a column of its own, see {@link hiddenColumn}. */
export function isHidden(index: IndexSchema | UniqueSchema): boolean {
  return index.where !== undefined || expressionOf(index) !== undefined
}

/** Columns first, so that the index serves as a plain one too. */
export function keyColumns(index: IndexSchema | UniqueSchema): readonly string[] {
  return isHidden(index) ? [...index.columns, hiddenName(index)] : index.columns
}

/**
 * What stands for a partial or expression index where the engine has none: a generated column, null outside of the condition,
 * so that a unique key lets those rows be. The two comments are code to MySQL from 8.0.23 and to MariaDB from 10.3.3.
 */
export function hiddenColumn(table: TableSchema, index: IndexSchema | UniqueSchema): string {
  const type = expressionOf(index) === undefined ? 'tinyint' : `varchar(${EXPRESSION_LENGTH})`
  const [generated] = hiddenExpressions(table, index)
  return `${quote(hiddenName(index))} ${type} generated always as (${generated}) virtual /*!80023 invisible *//*M!100303 invisible */`
}

/** What the column is made of: as it is written first, then as MariaDB may have it, with every NOT carried out. */
export function hiddenExpressions(table: TableSchema, index: IndexSchema | UniqueSchema): readonly string[] {
  const expression = expressionOf(index)
  const value = expression === undefined ? '1' : `left(${expression}, ${EXPRESSION_LENGTH})`
  const { where } = index
  if (where === undefined) return [value]
  return [where, withoutNot(where)].map((condition) => `case when ${conditionSql(condition, table, SYNTAX)} then ${value} end`)
}

function expressionOf(index: IndexSchema | UniqueSchema): string | undefined {
  return 'expression' in index ? index.expression : undefined
}

/** The column's name: `_lw_` and that of the index. */
export function hiddenName(index: IndexSchema | UniqueSchema): string {
  return fitName(`_lw_${index.name}`, '', 64)
}
