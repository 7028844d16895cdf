import type { FieldPacket } from 'mysql2'
import { BinaryRows, formsOf, type RowPacket } from './binary-rows.js'

// What is private to the driver is reached into from this file alone; its spec holds what is taken for granted of the installed version.

/** What the driver makes, with `new`, to read the rows of a result. */
type RowReader = new () => { next(packet: RowPacket): unknown }

interface ExecuteCommand {
  /** Called when all columns of a result are known, before its first row. */
  buildParserFromFields(fields: readonly FieldPacket[], connection: unknown): RowReader
}

/**
 * Has the rows of an execution that was just begun read by {@link BinaryRows}, where that knows the types of all columns; else the driver
 * does it.
 */
export function readBinaryRows(execution: unknown): void {
  const command = execution as ExecuteCommand
  const ofDriver = command.buildParserFromFields
  command.buildParserFromFields = (fields, connection) => {
    const forms = formsOf(fields)
    return forms === undefined ? ofDriver.call(command, fields, connection) : BinaryRows.bind(null, forms)
  }
}
