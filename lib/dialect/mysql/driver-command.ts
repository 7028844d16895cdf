import type { Connection as DriverConnection, FieldPacket } from 'mysql2'
import { BinaryRows, formsOf, type RowPacket } from './binary-rows.js'

// What is private to the driver is reached into from this file alone; its spec holds what is taken for granted of the installed version.

/** What the driver makes, with `new`, to read the rows of a result. */
type RowReader = new () => { next(packet: RowPacket): unknown }

interface ExecuteCommand {
  /** Called when all columns of a result are known, before its first row. */
  buildParserFromFields(fields: readonly FieldPacket[], connection: unknown): RowReader
}

/** A request that the server is to answer. */
interface Command {
  /** Takes a packet of the answer; true: it was the last one. */
  execute(packet: unknown, connection: unknown): boolean
  onResult?: (error: Error) => void
}

interface PrivateConnection {
  /** The one that is being answered. */
  _command: Command | undefined
  /** Those that wait to be sent. */
  readonly _commands: { readonly length: number }
  readonly _statements: { get(key: string): unknown }
  readonly stream: { cork(): void; uncork(): void }
  /** The number of the next packet: an answer's go on from its request's. */
  sequenceId: number
}

/**
 * Has the rows of an execution that was just begun read by {@link BinaryRows}, where that knows the types of all columns; else the driver
 * does it.
 */
export function readBinaryRows(execution: unknown): void {
  const command = execution as ExecuteCommand
  // one function for all: with a closure for each, V8 kept every result until a full collection, a third of the CPU of a list
  command.buildParserFromFields = parserOf
}

function parserOf(this: ExecuteCommand, fields: readonly FieldPacket[], connection: unknown): RowReader {
  const forms = formsOf(fields)
  if (forms !== undefined) return BinaryRows.bind(null, forms)
  const ofDriver = Object.getPrototypeOf(this) as ExecuteCommand
  return ofDriver.buildParserFromFields.call(this, fields, connection)
}

/** Whether the driver keeps the statement prepared; it counts as used. */
export function isPrepared(driver: DriverConnection, sql: string): boolean {
  const { statementKey } = driver.constructor as unknown as { statementKey(options: { sql: string }): string }
  return privateOf(driver)._statements.get(statementKey({ sql })) !== undefined
}

/**
 * Sends requests in one go, each before the one before it is answered; the server takes one after the other, whatever becomes of those
 * before. Each of `begin` has the driver begin one that is sent at once: text, or a statement that {@link isPrepared}.
 *
 * @returns false, and nothing is sent, where the driver is at work on something else
 */
export function sendInOneGo(driver: DriverConnection, begin: readonly (() => void)[]): boolean {
  const connection = privateOf(driver)
  if (connection._command !== undefined || connection._commands.length > 0) return false
  const sent: SentCommand[] = []
  connection.stream.cork()
  for (const start of begin) {
    start()
    const { _command: command, sequenceId } = connection
    // one that could not be written has failed by itself
    if (command !== undefined) sent.push({ command, sequenceId })
    connection._command = undefined
  }
  if (sent.length > 0) connection._command = new SentCommands(sent, connection)
  connection.stream.uncork()
  return true
}

interface SentCommand {
  readonly command: Command
  /** Of the first packet of its answer. */
  readonly sequenceId: number
}

/** Requests of which each is answered after the one before, as one. */
class SentCommands implements Command {
  readonly #unanswered: SentCommand[]
  readonly #connection: PrivateConnection

  constructor(sent: SentCommand[], connection: PrivateConnection) {
    this.#unanswered = sent
    this.#connection = connection
    connection.sequenceId = sent[0]!.sequenceId
  }

  execute(packet: unknown, connection: unknown): boolean {
    if (!this.#unanswered[0]!.command.execute(packet, connection)) return false
    this.#unanswered.shift()
    const [next] = this.#unanswered
    if (next !== undefined) this.#connection.sequenceId = next.sequenceId
    return next === undefined
  }

  /** Called where the connection is lost. */
  onResult(error: Error): void {
    for (const { command } of this.#unanswered.splice(0)) command.onResult!(error)
  }
}

function privateOf(driver: DriverConnection): PrivateConnection {
  return driver as unknown as PrivateConnection
}
