import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Where a connection is cut. */
export interface Cut {
  /** Whether these bytes of a client are the ones; asked of each piece, until one is. */
  isAt(bytes: Buffer): boolean
  /** Before the server has them, or before its answer is passed on. */
  readonly when: 'unsent' | 'unanswered'
  /** Called then; nobody is let through again before it is done. */
  readonly after?: () => Promise<unknown>
}

/** Leads to a server, and cuts a connection once. */
export class ConnectionCutter {
  readonly #target: URL
  readonly #cut: Cut
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Of the time after the cut. */
  #isFree: Promise<unknown> | undefined

  /** @param target names a host and a port */
  constructor(target: URL, cut: Cut) {
    this.#target = target
    this.#cut = cut
    this.#server = createServer((near) => this.#take(near))
  }

  /** A URL of the server by way of this. */
  async listen(url: string): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return Object.assign(new URL(url), { port: String((this.#server.address() as AddressInfo).port) }).href
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  async #take(near: Socket): Promise<void> {
    const end = () => near.destroy()
    this.#sockets.add(near.on('error', end))
    await this.#isFree
    const far = connect(Number(this.#target.port), this.#target.hostname)
    this.#sockets.add(far.on('error', end).on('close', end))
    near.on('close', () => far.destroy())
    let isLast = false
    near.on('data', (bytes: Buffer) => {
      if (this.#isFree === undefined && this.#cut.isAt(bytes)) {
        isLast = true
        this.#isFree = Promise.resolve(this.#cut.after?.())
        if (this.#cut.when === 'unsent') return end()
      }
      far.write(bytes)
    })
    far.on('data', (bytes) => (isLast ? end() : near.write(bytes)))
  }
}
