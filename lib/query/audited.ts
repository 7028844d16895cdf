import { Later } from '../later.js'
import type * as audit from './audit.js'
import type { BoundModel } from './bound-model.js'
import type { PlanRunner } from './query-plan.js'
import { withPart } from './with-part.js'

const AUDIT = new Later('audit', () => import('./audit.js'))

/** `auditedCreate` of the audit, which is loaded with the first change of a model that has one. */
export function auditedCreate<T>(model: BoundModel, runner: PlanRunner, ...rest: Rest<typeof audit.auditedCreate<T>>): Promise<T> {
  return withPart(AUDIT, runner, rest[0].label, (part) => part.auditedCreate(model, runner, ...rest)) as Promise<T>
}

/** `auditedChange` of the audit, in the same way. */
export function auditedChange<T>(model: BoundModel, runner: PlanRunner, ...rest: Rest<typeof audit.auditedChange<T>>): Promise<T> {
  return withPart(AUDIT, runner, rest[0].label, (part) => part.auditedChange(model, runner, ...rest)) as Promise<T>
}

/** The parameters after model and runner. */
type Rest<F> = F extends (model: BoundModel, runner: PlanRunner, ...rest: infer R) => unknown ? R : never
