import type { Socket } from 'node:net'

/**
 * What happens to the bytes of all connections, from now on.
 *
 * - `pass`: nothing.
 * - `delay`: each piece comes so much later, in both directions.
 * - `drop`: a black hole. What is sent meanwhile is gone, so that the connection it was sent on never works again; new ones are taken
 *   and lead nowhere, then and later. Nobody hears that somebody closed a connection until the hole is. `direction` drops one way only.
 * - `half-open`: the server's side of those that are there has gone and nobody has told ours; new ones pass.
 * - `cut`: each is closed when so many more bytes of answer have come.
 * - `trickle`: answers come a few bytes at a time.
 */
export type ProxyMode =
  | 'pass'
  | 'half-open'
  | { readonly kind: 'drop'; readonly direction?: 'requests' | 'answers' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'trickle'; readonly bytes: number; readonly everyMs: number }

/** A piece of what was sent; the end where it is empty. */
interface Piece {
  readonly bytes: Buffer
  readonly cameMs: number
}

/** One direction of a connection: takes what comes from one socket and gives it to another, in order, as the mode says. */
export class ProxyLane {
  readonly #to: Socket
  #held: Piece[] = []
  #mode: ProxyMode = 'pass'
  #timer: NodeJS.Timeout | undefined
  #bytesUntilCut = Number.POSITIVE_INFINITY
  #onCut: (() => void) | undefined
  /** Bytes are missing: nothing that came after them may be given on. */
  isLost = false

  constructor(from: Socket, to: Socket) {
    this.#to = to
    from.on('data', (bytes) => this.#take(bytes))
    from.on('end', () => this.#take(Buffer.alloc(0)))
  }

  /** @param onCut called when the bytes until a cut have been given on */
  obey(mode: ProxyMode, onCut?: () => void): void {
    this.#mode = mode
    this.#onCut = onCut
    this.#bytesUntilCut = typeof mode === 'object' && mode.kind === 'cut' ? mode.afterBytes : Number.POSITIVE_INFINITY
    this.#rest()
    this.#giveOn()
  }

  lose(): void {
    this.isLost = true
    this.stop()
  }

  stop(): void {
    this.#held = []
    this.#rest()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #take(bytes: Buffer): void {
    const isDropping = typeof this.#mode === 'object' && this.#mode.kind === 'drop'
    if (isDropping && bytes.length > 0) this.isLost = true
    // an end is not lost with the bytes before it: the network goes on trying to tell
    if (this.isLost && bytes.length > 0) return
    this.#held.push({ bytes, cameMs: performance.now() })
    this.#giveOn()
  }

  #giveOn(): void {
    if (typeof this.#mode === 'object' && this.#mode.kind === 'drop') return
    while (this.#timer === undefined && this.#held.length > 0) {
      const piece = this.#held[0]!
      const waitMs = this.#waitMs(piece)
      if (waitMs > 0) this.#goOnAfter(waitMs)
      else this.#give(piece)
    }
  }

  #waitMs({ cameMs }: Piece): number {
    if (typeof this.#mode === 'string' || this.#mode.kind !== 'delay') return 0
    return cameMs + this.#mode.delayMs - performance.now()
  }

  #goOnAfter(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#giveOn()
    }, Math.ceil(waitMs))
  }

  #give({ bytes, cameMs }: Piece): void {
    this.#held.shift()
    if (bytes.length === 0) {
      this.#to.end()
      return
    }
    const trickle = typeof this.#mode === 'object' && this.#mode.kind === 'trickle' ? this.#mode : undefined
    const most = Math.min(bytes.length, this.#bytesUntilCut, trickle?.bytes ?? bytes.length)
    if (most < bytes.length) this.#held.unshift({ bytes: bytes.subarray(most), cameMs })
    this.#to.write(bytes.subarray(0, most))
    this.#bytesUntilCut -= most
    if (this.#bytesUntilCut === 0) this.#onCut?.()
    else if (trickle !== undefined) this.#goOnAfter(trickle.everyMs)
  }
}
