import { RedactedFieldError, UnknownFieldError, ValidationError, type ValidationIssue } from '../errors.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'

interface Findings {
  readonly issues: readonly ValidationIssue[]
  readonly unknownField: string | undefined
}

/** Longest part of a name that is shown. */
const MAX_SHOWN = 64

/** As many issues tell a caller enough. */
const MAX_ISSUES = 1_000

export type Path = readonly (string | number)[]

/** Gathers what is wrong with one call's input, so that the caller hears it all at once. */
export class InputIssues {
  readonly #issues: ValidationIssue[] = []
  #unknownField: string | undefined
  #redactedField: string | undefined
  /** The call is made for an outsider, from whom redacted fields are kept. */
  isForOutsider = false

  constructor(
    readonly model: string,
    readonly operation: string,
  ) {}

  /** Whether so much is wrong that looking further is of no use. */
  get isFull(): boolean {
    return this.#issues.length >= MAX_ISSUES
  }

  add(path: Path, message: string): void {
    this.#issues.push({ path, message })
  }

  /** Adds an issue about a name that the model does not have. */
  addUnknown(path: Path, name: string, known: string): void {
    const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name
    this.#unknownField ??= shown
    this.add(
      path.map((part) => (part === name ? shown : part)),
      `unknown ${known} ${JSON.stringify(shown)}`,
    )
  }

  /** Whether the call may ask for a field; if not, an issue says so. */
  allows(field: BoundField, path: Path): boolean {
    if (!this.isForOutsider || !field.definition.redacted) return true
    this.#redactedField ??= field.name
    this.add(path, 'is redacted: from outside it is neither shown nor compared')
    return false
  }

  /** Whether the call may follow a relation: who belongs together tells the values of the key. */
  allowsRelation({ sourceFields, targetFields, through }: BoundRelation, path: Path): boolean {
    const key = [...sourceFields, ...targetFields, ...(through === undefined ? [] : [...through.near, ...through.far])]
    return key.every((field) => this.allows(field, path))
  }

  /** The fields of a model that the call is shown unless it says which. */
  shownOf({ fields }: Pick<BoundModel, 'fields'>): readonly BoundField[] {
    const isRedacted = this.isForOutsider && fields.some(({ definition }) => definition.redacted)
    return isRedacted ? fields.filter(({ definition }) => !definition.redacted) : fields
  }

  /** Takes over what a validator found, below `path`; true: it found nothing. */
  take({ issues, unknownField }: Findings, path: Path = []): boolean {
    this.#unknownField ??= unknownField
    for (const issue of issues) this.#issues.push(path.length === 0 ? issue : { ...issue, path: [...path, ...issue.path] })
    return issues.length === 0
  }

  /** @throws {ValidationError} anything was added; {@link UnknownFieldError}, {@link RedactedFieldError} where a name is unknown or redacted */
  throwIfAny(): void {
    if (this.#issues.length === 0) return
    if (this.#unknownField !== undefined) throw new UnknownFieldError(this.model, this.operation, this.#unknownField, this.#issues)
    if (this.#redactedField !== undefined) throw new RedactedFieldError(this.model, this.operation, this.#redactedField, this.#issues)
    throw new ValidationError(this.model, this.operation, this.#issues)
  }
}
