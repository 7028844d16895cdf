import type { IndexSchema, TableSchema, UniqueSchema } from '../../model/schema.js'
import { fitName } from '../../model/schema-names.js'
import { conditionSql } from '../ddl-conditions.js'
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
  const expression = expressionOf(index)
  const [type, value] =
    expression === undefined ? ['tinyint', '1'] : [`varchar(${EXPRESSION_LENGTH})`, `left(${expression}, ${EXPRESSION_LENGTH})`]
  const generated = index.where === undefined ? value : `case when ${conditionSql(index.where, table, SYNTAX)} then ${value} end`
  return `${quote(hiddenName(index))} ${type} generated always as (${generated}) virtual /*!80023 invisible *//*M!100303 invisible */`
}

function expressionOf(index: IndexSchema | UniqueSchema): string | undefined {
  return 'expression' in index ? index.expression : undefined
}

/** The column's name: `_lw_` and that of the index. */
export function hiddenName(index: IndexSchema | UniqueSchema): string {
  return fitName(`_lw_${index.name}`, '', 64)
}
