import type { Frame, HeldResource } from './frame.js'

/** Things of one kind, of which several callers have one each, such as the connections of a pool. */
export class SharedResource implements HeldResource {
  readonly description: string
  readonly #isExhausted: (held: number) => boolean
  readonly #frames = new Set<Frame>()

  /** @param isExhausted told how many call chains hold one; whether these are all there are and no other can come */
  constructor(description: string, isExhausted: (held: number) => boolean) {
    this.description = description
    this.#isExhausted = isExhausted
  }

  holders(): readonly Frame[] | undefined {
    return this.#isExhausted(this.#frames.size) ? [...this.#frames] : undefined
  }

  heldBy(frame: Frame): void {
    this.#frames.add(frame)
  }

  freedBy(frame: Frame): void {
    this.#frames.delete(frame)
  }
}
