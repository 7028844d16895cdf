/**
 * Options of a test that is about elapsed time: in CI, on machines that others load too, it may be tried once more, and is named
 * where only that went well. A test of what is there in the end has no second try.
 */
export const TIMED = { retry: process.env.CI ? 1 : 0 } as const
