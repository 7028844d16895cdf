import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { ProxyLane, type ProxyMode } from './proxy-lane.js'

export type { ProxyMode } from './proxy-lane.js'

/** A port of its own that leads to the target, as well as its mode lets it. */
export interface TcpProxy {
  /** The target's URL, by way of the proxy. */
  readonly url: string
  readonly mode: ProxyMode
  /** Connections that our side has open. */
  readonly connections: number
  /** Connections taken so far. */
  readonly accepted: number
  /** For the connections that are there, and for all that come. */
  set(mode: ProxyMode): void
  /** From now on, it does not keep the process from ending. */
  unref(): void
  /** Ends all connections, on both sides. */
  close(): Promise<void>
}

/** Starts a proxy before `targetUrl`, which names a host and a port. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(targetUrl)
  if (port === '') throw new Error(`the URL of the target names no port: ${targetUrl}`)
  const proxy = new RunningProxy(Number(port), hostname)
  await proxy.listen()
  return Object.assign(proxy, { url: throughPort(targetUrl, proxy.port) })
}

function throughPort(targetUrl: string, port: number): string {
  const url = new URL(targetUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return url.href
}

class RunningProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  mode: ProxyMode = 'pass'
  accepted = 0

  constructor(targetPort: number, targetHost: string) {
    // half open: who says no more may still listen
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      this.accepted++
      const isLost = typeof this.mode === 'object' && this.mode.kind === 'drop' && this.mode.direction === undefined
      const far = isLost ? undefined : connect({ port: targetPort, host: targetHost, noDelay: true, allowHalfOpen: true })
      const pair = new Pair(near, far, () => this.#pairs.delete(pair))
      this.#pairs.add(pair)
      if (this.mode !== 'half-open') pair.obey(this.mode)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return [...this.#pairs].filter(({ isNearOpen }) => isNearOpen).length
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  set(mode: ProxyMode): void {
    this.mode = mode
    for (const pair of this.#pairs) pair.obey(mode)
  }

  unref(): void {
    this.#server.unref()
    for (const pair of this.#pairs) pair.unref()
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Our connection and the one to the server that belongs to it; none where it leads nowhere. */
class Pair {
  readonly #near: Socket
  readonly #far: Socket | undefined
  readonly #requests: ProxyLane | undefined
  readonly #answers: ProxyLane | undefined
  readonly #onEnd: () => void
  #isDropping = false

  constructor(near: Socket, far: Socket | undefined, onEnd: () => void) {
    this.#near = near
    this.#far = far
    this.#onEnd = onEnd
    for (const socket of [near, far]) {
      // a side that breaks off is part of what is tried here
      socket?.on('error', () => undefined)
      socket?.on('close', () => this.#sideClosed())
    }
    if (far !== undefined) {
      this.#requests = new ProxyLane(near, far)
      this.#answers = new ProxyLane(far, near)
    }
    near.resume()
    near.on('end', () => {
      if (far === undefined || far.destroyed) this.destroy()
    })
  }

  get isNearOpen(): boolean {
    return !this.#near.destroyed && !this.#near.readableEnded
  }

  obey(mode: ProxyMode): void {
    const drops = typeof mode === 'object' && mode.kind === 'drop' ? mode : undefined
    this.#isDropping = drops !== undefined
    if (mode === 'half-open') this.#loseServer()
    this.#requests?.obey(drops?.direction === 'answers' || isOfAnswers(mode) ? 'pass' : mode)
    this.#answers?.obey(drops?.direction === 'requests' ? 'pass' : mode, () => this.end())
    this.#sideClosed()
  }

  /** Ends both sides; what was written still arrives. */
  end(): void {
    this.#stop()
    for (const socket of [this.#near, this.#far]) socket?.destroySoon()
  }

  /** Breaks both sides off. */
  destroy(): void {
    this.#stop()
    for (const socket of [this.#near, this.#far]) socket?.destroy()
  }

  unref(): void {
    for (const socket of [this.#near, this.#far]) socket?.unref()
  }

  #stop(): void {
    this.#requests?.stop()
    this.#answers?.stop()
    this.#onEnd()
  }

  #loseServer(): void {
    this.#requests?.lose()
    this.#answers?.lose()
    this.#far?.destroy()
  }

  // a side that is gone takes the other with it, once the network would tell; one that was lost on purpose does not
  #sideClosed(): void {
    const isTold = !this.#isDropping && (this.#near.destroyed || (this.#far?.destroyed === true && this.#answers?.isLost !== true))
    if (isTold) this.end()
  }
}

function isOfAnswers(mode: ProxyMode): boolean {
  return typeof mode === 'object' && (mode.kind === 'cut' || mode.kind === 'trickle')
}
