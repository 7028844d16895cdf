import type { ValidationIssue } from '../errors.js'

/** Most issues of one call; what comes after them is not looked at. */
const MAX_ISSUES = 1_000

/** Longest part of a name that is shown. */
const MAX_SHOWN = 64

/** Gathers what is wrong with the input of one call. */
export class InputFindings {
  readonly issues: ValidationIssue[] = []
  /** The first name that the model does not have. */
  unknownField: string | undefined
  /** The row that is being looked at, where there is a list of them. */
  rowIndex: number | undefined

  get isFull(): boolean {
    return this.issues.length >= MAX_ISSUES
  }

  /** Gives undefined, as the value of what is wrong. */
  add(path: readonly (string | number)[], message: string): undefined {
    if (this.isFull) return
    this.issues.push({ path: this.rowIndex === undefined ? path : ['rows', this.rowIndex, ...path], message })
  }

  addUnknown(name: string, suggestion: string): void {
    const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name
    this.unknownField ??= shown
    this.add([shown], `unknown field ${JSON.stringify(shown)}${suggestion}`)
  }
}
