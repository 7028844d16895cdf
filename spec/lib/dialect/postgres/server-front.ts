import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { certificate, certificateKey } from './certificate.js'

const SSL_REQUEST = 80_877_103

/** What stands before the real server. */
export interface FrontOptions {
  /** Asks for this password first. */
  readonly password?: string
  /** Takes TLS, with the certificate of `certified.test`. */
  readonly tls?: boolean
  /** Refuses sessions that ask for a setting which a pooler does not know. */
  readonly refusesSettings?: readonly string[]
  /** Takes connections and never says a word. */
  readonly isSilent?: boolean
  /** Holds what a session sends back for so long, once it has started. */
  readonly delayMs?: number
  /** Keeps the first message with this in it from the server. */
  readonly swallowsFirst?: string
  /** Tells clients another process id than the server's, as a pooler does. */
  readonly renamesSessions?: boolean
  /** Listens on this Unix socket, instead of on a port. */
  readonly path?: string
}

export interface ServerFront {
  readonly port: number
  /** Connections of now. */
  readonly connections: () => number
  /** Those made so far over TLS. */
  readonly encrypted: () => number
  /** All that clients have sent so far to the server. */
  readonly sent: () => string
  /** Breaks all connections off without a word. */
  cut(): void
  /** Takes no further connections; those of now go on. */
  refuse(): void
  close(): Promise<void>
}

/** A port of its own that leads to the real server, after what the options ask for. */
export async function startFront(serverUrl: string, options: FrontOptions): Promise<ServerFront> {
  const sockets = new Set<Socket>()
  let encrypted = 0
  let sent = ''
  let { swallowsFirst } = options
  const swallows = (part: Buffer) => {
    const isSwallowed = swallowsFirst !== undefined && part.includes(swallowsFirst)
    if (isSwallowed) swallowsFirst = undefined
    return isSwallowed
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // a client that breaks off is part of what is tried here
    socket.on('error', () => socket.destroy())
    if (options.isSilent === true) socket.resume()
    else
      new Arrival(socket, serverUrl, options, {
        encrypted: () => encrypted++,
        sent: (part) => (sent += part.toString('latin1')),
        swallows,
      }).greet(socket)
  })
  server.listen(options.path === undefined ? { port: 0, host: '127.0.0.1' } : { path: options.path })
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: options.path === undefined ? (server.address() as AddressInfo).port : 0,
    connections: () => sockets.size,
    encrypted: () => encrypted,
    sent: () => sent,
    cut,
    refuse: () => void server.close(),
    async close() {
      cut()
      if (server.listening) server.close()
      while (sockets.size > 0) await once([...sockets][0]!, 'close')
    },
  }
}

/** Runs `body` behind such a front. */
export async function withFront(serverUrl: string, options: FrontOptions, body: (front: ServerFront) => Promise<void>): Promise<void> {
  const front = await startFront(serverUrl, options)
  try {
    await body(front)
  } finally {
    await front.close()
  }
}

class Arrival {
  constructor(
    readonly raw: Socket,
    readonly serverUrl: string,
    readonly options: FrontOptions,
    readonly on: { readonly encrypted: () => void; readonly sent: (part: Buffer) => void; readonly swallows: (part: Buffer) => boolean },
  ) {}

  greet(socket: Socket): void {
    socket.once('data', (first) => {
      if (first.readInt32BE(4) === SSL_REQUEST) this.#answerTls(socket)
      else if (this.#refuses(first)) socket.end(fatal('08P01', 'unsupported startup parameter in options: extra_float_digits'))
      else if (this.options.password !== undefined) this.#askPassword(socket, first)
      else this.#forward(socket, first)
    })
  }

  #refuses(startup: Buffer): boolean {
    return this.options.refusesSettings?.some((setting) => startup.includes(setting)) === true
  }

  #answerTls(socket: Socket): void {
    if (this.options.tls !== true) {
      socket.write('N')
      this.greet(socket)
      return
    }
    socket.write('S')
    const channel = new TLSSocket(socket, { isServer: true, cert: certificate, key: certificateKey })
    channel.on('error', () => socket.destroy())
    this.on.encrypted()
    this.greet(channel)
  }

  #askPassword(socket: Socket, startup: Buffer): void {
    // AuthenticationCleartextPassword
    socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    socket.once('data', (answer) => {
      const given = answer.toString('utf8', 5, answer.length - 1)
      if (given === this.options.password) this.#forward(socket, startup)
      else socket.end(fatal('28P01', 'password authentication failed for user "somebody"'))
    })
  }

  #forward(socket: Socket, first: Buffer): void {
    const { hostname, port } = new URL(this.serverUrl)
    const upstream = connect(Number(port || 5432), hostname)
    upstream.on('error', () => socket.destroy())
    upstream.on('close', () => socket.end())
    this.raw.on('close', () => upstream.destroy())
    upstream.write(first)
    socket.on('data', this.on.sent)
    const { delayMs = 0 } = this.options
    socket.on('data', (part) => {
      if (this.on.swallows(part)) return
      if (delayMs === 0) upstream.write(part)
      else setTimeout(() => upstream.write(part), delayMs)
    })
    if (this.options.renamesSessions === true) upstream.once('data', rename)
    upstream.pipe(socket)
  }
}

/** Changes the process id in a BackendKeyData message, in place. */
function rename(answer: Buffer): void {
  const at = answer.indexOf(Buffer.from([0x4b, 0, 0, 0]))
  answer.writeInt32BE(answer.readInt32BE(at + 5) + 1, at + 5)
}

function fatal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
