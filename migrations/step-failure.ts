/** A step that ended badly, on its way to whoever knows the whole migration. */
export class StepFailure extends Error {
  /** From 1. */
  readonly step: number
  /** Steps that are done and stay. */
  readonly stepsDone: number
  /** Whether the step itself left nothing; null: nobody knows. */
  readonly leftNothing: boolean | null
  /** The step is done, and only the word of it is missing. */
  readonly isDone: boolean

  constructor(
    reason: unknown,
    place: { readonly step: number; readonly stepsDone: number; readonly leftNothing: boolean | null; readonly isDone?: boolean },
  ) {
    super('a step failed', { cause: reason })
    this.step = place.step
    this.stepsDone = place.stepsDone
    this.leftNothing = place.leftNothing
    this.isDone = place.isDone ?? false
  }
}
