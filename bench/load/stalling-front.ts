import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** A way to a server that takes its time. */
export interface StallingFront {
  /** The server's URL, by way of the front. */
  readonly url: string
  close(): Promise<void>
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'postgres:': 5432, 'postgresql:': 5432, 'mysql:': 3306, 'mariadb:': 3306 }

/** Opens a front on this machine that takes every connection at once and holds it for `holdMs` before it forwards a byte. */
export async function openStallingFront(serverUrl: string, holdMs: number): Promise<StallingFront> {
  const target = new URL(serverUrl)
  const address = { host: target.hostname, port: Number(target.port) || DEFAULT_PORTS[target.protocol]! }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, async (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // who hangs up meanwhile has no use for the server
    socket.on('error', () => socket.destroy())
    // what waits is the socket; alone, the timer keeps no process
    if (holdMs > 0) await sleep(holdMs, undefined, { ref: false })
    if (!socket.destroyed) forward(socket, connect({ ...address, noDelay: true }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(serverUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  return { url: url.href, close }
}

// a side that breaks takes the other with it, and that is all there is to say about it
function forward(client: Socket, server: Socket): void {
  pipeline(client, server, () => client.destroy())
  pipeline(server, client, () => server.destroy())
}
