import { ConfigurationError, DeadlockError, IdempotencyKeyReusedError, SerializationError, ValidationError } from '../errors.js'
import { normaliseFieldValue } from '../model/field-type.js'
import { MAX_IDEMPOTENCY_KEY_LENGTH } from '../model/idempotency-record.js'
import { textProblem } from '../model/json-value.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'
import { createMany } from './bulk-create.js'
import { limitsOf } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { payloadHash } from './payload-hash.js'
import type { PlanRunner } from './query-plan.js'
import { readOne } from './read.js'
import { restoreResult, storeResult } from './stored-result.js'
import { updateOne } from './update.js'

/** How calls with idempotency keys are remembered. */
export interface Idempotency {
  /** The model of `IdempotencyRecord`; undefined: it is none of the database's. */
  readonly records: BoundModel | undefined
  /** Milliseconds for which a key stands for its first call. */
  readonly ttlMs: number
}

/** A call that is to have its effect once. */
export interface IdempotentCall {
  readonly operation: 'create' | 'bulkCreate'
  readonly input: unknown
  readonly options: Record<string, unknown>
}

/** How often a record may vanish between being met and being read, and how often those who waited for it may be in each other's way. */
const MAX_ATTEMPTS = 10

/**
 * Runs a call, unless one with the same key has run: then gives what that gave. The record of a call is written in its transaction, so
 * that who comes while it runs waits for its end, and what fails leaves the key free.
 *
 * @throws {IdempotencyKeyReusedError} the first call had another input
 * @throws {ConfigurationError} `IdempotencyRecord` is none of the database's models
 * @throws {ValidationError} the key is no text of 1 to 200 characters, or something in the call cannot be had with one
 */
export async function runOnce(
  model: BoundModel,
  runner: PlanRunner,
  { records, ttlMs }: Idempotency,
  call: IdempotentCall,
  run: (options: unknown) => Promise<unknown>,
): Promise<unknown> {
  const { operation, input } = call
  const { idempotencyKey: key, ...options } = call.options
  checkCall(model, key, call)
  if (records === undefined)
    throw new ConfigurationError('models', 'an idempotencyKey needs IdempotencyRecord among the models of the database')
  const { select, include } = options
  const label = model.labelOf(operation)
  const where = { node: label, tenant: tenantOf(model), key }
  const { rows, ...rest } = operation === 'bulkCreate' ? (input as Record<string, unknown>) : { rows: input }
  const hash = payloadHash([payloadHash(rows, model), rest, select, include, options.redact === true])
  const work = async () => {
    const record = { payloadHash: hash, result: null, expiresAt: new Date(model.now().getTime() + ttlMs) }
    const first = async () => {
      const output = await run(options)
      await updateOne(records, runner, { where, set: { result: storeResult(model, operation, output) } })
      return output
    }
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // waits while a transaction that has written the same key runs
      const { count } = await createMany(records, runner, { rows: [{ ...where, ...record }], onConflict: 'skip' }, { transaction: false })
      if (count === 1) return first()
      const met = await readOne(records, runner, { where }, { for: 'update' })
      if (met === null) continue
      if ((met.expiresAt as Date).getTime() <= model.now().getTime()) {
        await updateOne(records, runner, { where, set: record })
        return first()
      }
      if (met.payloadHash !== hash) throw new IdempotencyKeyReusedError(model.definition.name, operation)
      if (met.result === null) refuseKey(model, operation, 'is that of a call around this one')
      return restoreResult(model, operation, met.result as string)
    }
    throw new SerializationError(`${label}: the record of its idempotency key was deleted ${MAX_ATTEMPTS} times while it was being read`)
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await runner.transaction(label, work, limitsOf(options))
    } catch (error) {
      // of those who waited for a call that failed, an engine may let one go on and the others be in each other's way
      if (!(error instanceof DeadlockError) || runner.isInTransaction || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

function refuseKey(model: BoundModel, operation: string, problem: string): never {
  throw new ValidationError(model.definition.name, operation, [{ path: ['options', 'idempotencyKey'], message: problem }])
}

function checkCall(model: BoundModel, key: unknown, { operation, input, options }: IdempotentCall): void {
  const issues = new InputIssues(model.definition.name, operation)
  if (typeof key !== 'string' || key === '' || key.length > MAX_IDEMPOTENCY_KEY_LENGTH) {
    const got = typeof key === 'string' ? `one of ${key.length}` : kindOf(key)
    issues.add(['options', 'idempotencyKey'], `expected a text of 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters, got ${got}`)
  }
  const problem = typeof key === 'string' ? textProblem(key) : undefined
  if (problem !== undefined) issues.add(['options', 'idempotencyKey'], problem)
  if (options.transaction === false) issues.add(['options', 'transaction'], 'is one with the record of the idempotencyKey: leave it out')
  if (operation === 'bulkCreate' && !(isPlainObject(input) && Array.isArray(input.rows)))
    issues.add(['rows'], 'expected a list: with an idempotencyKey it is read twice')
  issues.throwIfAny()
}

/** Of a model without tenants too: what is read with its row may be of one. */
function tenantOf({ definition, roles, tenants }: BoundModel): string {
  const { current } = tenants
  if (current === undefined || roles.tenant === undefined) return current === undefined ? '' : String(current)
  return String(normaliseFieldValue(roles.tenant.definition, tenants.of(definition.name, roles.tenant)))
}
