import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  ConnectionLostError,
  LockTimeoutError,
  QueryError,
  QueryTimeoutError,
  TransactionAbortedError,
} from '../../../lib/errors.js'
import { DebugValues, withoutValues } from '../../../lib/query/debug-values.js'

const debug = new DebugValues({ wordsOf: (error) => ({ message: (error as Error).message }) })
const statement = { sql: 'select ?', parameters: ['bound'] }
const network = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

describe('DebugValues.tell', () => {
  it('gives a new error of the same class, fields and stack, and leaves the first as it is', () => {
    const cause = network()
    const error = new LockTimeoutError('not free', { cause, endsTransaction: true })
    const told = debug.tell(error, error, statement)
    expect(told).not.toBe(error)
    expect(told).toBeInstanceOf(LockTimeoutError)
    expect(told).toMatchObject({
      name: 'LockTimeoutError',
      code: 'LOCK_TIMEOUT',
      message: 'not free',
      retryable: true,
      endsTransaction: true,
    })
    expect(told.stack).toBe(error.stack)
    expect(told.cause).toMatchObject({ message: 'read ECONNRESET', code: 'ECONNRESET', ...statement })
    expect(error.cause).toBe(cause)
    expect(cause).not.toHaveProperty('sql')
  })

  it('keeps behind the cause what was raised, where nothing had to be left out of it', () => {
    const raised = network()
    const told = debug.tell(new ConnectionLostError('broke', { cause: raised }), raised, statement)
    expect(told.cause).toMatchObject({ ...statement, cause: raised })
  })

  it('leaves alone what has no cause, and the reason of whoever aborted', () => {
    for (const error of [new QueryTimeoutError('late'), new AbortedError('stopped', { cause: new Error('the reason') })])
      expect(debug.tell(error, error, statement)).toBe(error)
  })

  it('puts redacted values out of sight', () => {
    const told = debug.tell(new QueryError('no', '1'), network(), { sql: '', parameters: ['a', 'b', null], redacted: new Set([1]) })
    expect(told.cause).toMatchObject({ parameters: ['a', '[redacted]', null] })
  })
})

describe('withoutValues', () => {
  const plain = new QueryError('no', '1', { cause: new Error('a copy') })
  const told = debug.tell(plain, network(), statement)

  it('gives what an error with values was made of, wherever it is among the causes', () => {
    expect(withoutValues(told)).toBe(plain)
    const around = new TransactionAbortedError('failed before', { cause: told })
    const without = withoutValues(around)
    expect(without).toBeInstanceOf(TransactionAbortedError)
    expect([without.cause, without.message, around.cause]).toEqual([plain, 'failed before', told])
  })

  it('gives everything else as it is', () => {
    for (const error of [plain, new Error('x', { cause: new Error('y') }), new TransactionAbortedError('x', { cause: plain })])
      expect(withoutValues(error)).toBe(error)
  })
})
