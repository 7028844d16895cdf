import type { SqlRule, SqlRuleId } from './rule.js'
import { dropColumn, dropTable, multiTableDrop, narrowType, renameInPlace, truncate } from './rules/drops.js'
import {
  identifierTooLong,
  intPrimaryKey,
  longIndexPrefix,
  missingFkIndex,
  reservedWord,
  timestampWithoutZone,
} from './rules/names-and-types.js'
import { concurrentlyInTx, dataWithDdl, enumValueSameTx, severalTablesOneTx, sqliteRebuildWithChildren } from './rules/transactions.js'
import {
  checkNotValid,
  fkNotValid,
  indexNotConcurrent,
  mysqlCopy,
  noLockTimeout,
  notNullUnvalidated,
  uniqueNotUsingIndex,
  volatileDefault,
} from './rules/waits.js'

/** Every rule that looks at SQL, by its id. */
export const SQL_RULES: Readonly<Record<SqlRuleId, SqlRule>> = {
  'drop-table': dropTable,
  'drop-column': dropColumn,
  truncate,
  'narrow-type': narrowType,
  'rename-in-place': renameInPlace,
  'index-not-concurrent': indexNotConcurrent,
  'fk-not-valid': fkNotValid,
  'check-not-valid': checkNotValid,
  'not-null-unvalidated': notNullUnvalidated,
  'volatile-default': volatileDefault,
  'mysql-copy': mysqlCopy,
  'unique-not-using-index': uniqueNotUsingIndex,
  'several-tables-one-tx': severalTablesOneTx,
  'concurrently-in-tx': concurrentlyInTx,
  'enum-value-same-tx': enumValueSameTx,
  'sqlite-rebuild-with-children': sqliteRebuildWithChildren,
  'multi-table-drop': multiTableDrop,
  'timestamp-without-zone': timestampWithoutZone,
  'int-primary-key': intPrimaryKey,
  'identifier-too-long': identifierTooLong,
  'reserved-word': reservedWord,
  'missing-fk-index': missingFkIndex,
  'long-index-prefix': longIndexPrefix,
  'data-with-ddl': dataWithDdl,
  'no-lock-timeout': noLockTimeout,
}
