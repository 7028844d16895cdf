import { AsyncLocalStorage } from 'node:async_hooks'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { requireNotInterrupted } from '../query/interruptible.js'
import type { CallLimits } from '../query/query-plan.js'
import type { SqlResult } from '../query/sql-statement.js'
import { validated } from './node-schema.js'

/** A call whose rows are given one by one. */
interface StreamCall {
  readonly name: string
  /** What each row must pass. */
  readonly schema: StandardSchemaV1 | undefined
  /** Checks the input; what is wrong with it is told to who takes the first row. */
  readonly start: () => Promise<StartedCall>
}

interface StartedCall {
  readonly limits: CallLimits | undefined
  readonly batches: AsyncGenerator<SqlResult, void, undefined>
}

/** The rows of a call, checked, one by one, in the async context in which they were asked for: whoever takes them may be in no transaction. */
export function streamedRows(call: StreamCall): AsyncGenerator<unknown, void, undefined> {
  return eachRow(call, AsyncLocalStorage.snapshot())
}

async function* eachRow({ name, schema, start }: StreamCall, inContext: <T>(fn: () => T) => T): AsyncGenerator<unknown, void, undefined> {
  const { limits, batches } = await inContext(start)
  try {
    for (;;) {
      const { done, value } = await inContext(() => batches.next())
      if (done === true) return
      for (const row of value.rows) {
        if (limits !== undefined) requireNotInterrupted({ label: name, ...limits })
        yield schema === undefined ? row : await validated(name, 'result', schema, row)
      }
    }
  } finally {
    await inContext(() => batches.return())
  }
}
