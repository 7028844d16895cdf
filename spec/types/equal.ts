/** `true` where two types are the same, to the last modifier. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** The compiler refuses anything but `true`. */
export type Holds<T extends true> = T

/** A type written out, so that {@link Equal} compares what it holds and not how it was made. */
export type Plain<T> = { [K in keyof T]: T[K] }
