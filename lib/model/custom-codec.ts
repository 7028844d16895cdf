/** How values of a type of the application's own are stored as values of a built-in one. Neither function is called with null. */
export interface CustomCodec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (stored: unknown) => unknown
  /** Of two values the lesser is stored as the lesser, so that the stored ones can be sorted and compared in their place. */
  readonly ordered: boolean
}

type Checker = (value: unknown) => string | undefined

/** A check for values of the application's type: they have to be encoded to what `checkStored` takes. */
export function encodedChecker({ encode }: CustomCodec, checkStored: Checker): Checker {
  return (value) => {
    let stored: unknown
    try {
      stored = encode(value)
    } catch (error) {
      return `its encode takes no such value (${thrownName(error)})`
    }
    const problem = checkStored(stored)
    return problem === undefined ? undefined : `${problem}, as output of its encode`
  }
}

/** What kind of error it was: its message may hold the value. */
function thrownName(error: unknown): string {
  return error instanceof Error ? error.name : `a thrown ${typeof error}`
}
