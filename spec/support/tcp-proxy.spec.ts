import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** Long enough for bytes to come, where nothing holds them. */
const SETTLE_MS = 50

describe('startTcpProxy', () => {
  let server: Server
  let proxy: TcpProxy
  /** The server's side of each connection, which sends back what it gets. */
  let sessions: Socket[]
  const clients: Client[] = []

  beforeEach(async () => {
    sessions = []
    server = createServer((socket) => {
      sessions.push(socket)
      socket.on('error', () => undefined)
      socket.pipe(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await startTcpProxy(`postgres://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}/shop?a=b`)
  })

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy()
    await proxy.close()
    for (const session of sessions) session.destroy()
    server.close()
  })

  async function client(): Promise<Client> {
    const opened = new Client(connect(Number(new URL(proxy.url).port), '127.0.0.1'))
    clients.push(opened)
    await once(opened.socket, 'connect')
    return opened
  }

  it('gives a URL that differs in host and port alone', () => {
    const { protocol, username, password, pathname, search } = new URL(proxy.url)
    expect([protocol, username, password, pathname, search]).toEqual(['postgres:', 'user', 'secret', '/shop', '?a=b'])
  })

  it('refuses a target without a port', async () => {
    await expect(startTcpProxy('mysql://127.0.0.1/shop')).rejects.toThrow(/no port/)
  })

  it('passes bytes in both directions, and counts connections', async () => {
    const [one, two] = [await client(), await client()]
    await one.says('one')
    await two.says('two')
    expect([one.heard, two.heard, proxy.connections, proxy.accepted]).toEqual(['one', 'two', 2, 2])
    one.socket.end()
    await once(one.socket, 'close')
    await expect.poll(() => proxy.connections).toBe(1)
    await expect.poll(() => sessions[0]!.destroyed).toBe(true)
  })

  it('tells our side when the server hangs up, after its last words', async () => {
    const one = await client()
    await one.says('x')
    sessions[0]!.end('bye')
    await once(one.socket, 'close')
    expect(one.heard).toBe('xbye')
  })

  it('delays each piece, in order', async () => {
    const one = await client()
    await one.says('a')
    proxy.set({ kind: 'delay', delayMs: 100 })
    const startedMs = performance.now()
    one.socket.write('b')
    await sleep(20)
    one.socket.write('c')
    await expect.poll(() => one.heard, { interval: 5 }).toBe('abc')
    // there and back
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(200)
  })

  it('lets go at once of what it held when its mode changes', async () => {
    const one = await client()
    proxy.set({ kind: 'delay', delayMs: 60_000 })
    one.socket.write('held')
    await sleep(SETTLE_MS)
    expect(one.heard).toBe('')
    proxy.set('pass')
    await expect.poll(() => one.heard).toBe('held')
  })

  it('drops what is sent into a black hole, for good', async () => {
    const [hit, untouched] = [await client(), await client()]
    await hit.says('x')
    await untouched.says('y')
    proxy.set({ kind: 'drop' })
    hit.socket.write('gone')
    const late = await client()
    late.socket.write('gone')
    await sleep(SETTLE_MS)
    proxy.set('pass')
    hit.socket.write('after')
    late.socket.write('after')
    await untouched.says('z')
    await sleep(SETTLE_MS)
    expect([hit.heard, untouched.heard, late.heard]).toEqual(['x', 'yz', ''])
    expect(sessions).toHaveLength(2)
  })

  it('tells nobody in a black hole that somebody hung up, and does when it ends', async () => {
    const one = await client()
    await one.says('x')
    proxy.set({ kind: 'drop' })
    one.socket.destroy()
    await sleep(SETTLE_MS)
    expect([proxy.connections, sessions[0]!.destroyed]).toEqual([0, false])
    proxy.set('pass')
    await expect.poll(() => sessions[0]!.destroyed).toBe(true)
  })

  it('drops one direction alone', async () => {
    const one = await client()
    await one.says('x')
    const arrived: string[] = []
    sessions[0]!.on('data', (bytes) => arrived.push(bytes.toString()))
    proxy.set({ kind: 'drop', direction: 'answers' })
    one.socket.write('asked')
    await expect.poll(() => arrived.join('')).toBe('asked')
    proxy.set({ kind: 'drop', direction: 'requests' })
    one.socket.write('not asked')
    await sleep(SETTLE_MS)
    expect([arrived.join(''), one.heard]).toEqual(['asked', 'x'])
  })

  it('leaves ours open when the server has gone, and takes new ones', async () => {
    const one = await client()
    await one.says('x')
    proxy.set('half-open')
    one.socket.write('to nobody')
    await expect.poll(() => sessions[0]!.destroyed).toBe(true)
    const next = await client()
    await next.says('y')
    expect([one.socket.destroyed, one.heard, next.heard]).toEqual([false, 'x', 'y'])
    one.socket.end()
    await once(one.socket, 'close')
    await expect.poll(() => proxy.connections).toBe(1)
  })

  it('cuts after so many bytes of answer, counted from now', async () => {
    const one = await client()
    await one.says('before')
    proxy.set({ kind: 'cut', afterBytes: 4 })
    one.socket.write('1234567')
    await once(one.socket, 'close')
    expect(one.heard).toBe('before1234')
    await expect.poll(() => sessions[0]!.destroyed).toBe(true)
  })

  it('lets answers trickle, whole and in order', async () => {
    const one = await client()
    proxy.set({ kind: 'trickle', bytes: 2, everyMs: 20 })
    const startedMs = performance.now()
    one.socket.write('123456789')
    await expect.poll(() => one.heard.length, { interval: 2 }).toBeGreaterThan(0)
    expect(one.heard.length).toBeLessThan(9)
    await expect.poll(() => one.heard, { interval: 5 }).toBe('123456789')
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(75)
  })

  it('ends every connection when it is closed, and listens no more', async () => {
    const one = await client()
    await one.says('x')
    const port = Number(new URL(proxy.url).port)
    const ended = once(one.socket, 'close')
    await proxy.close()
    await ended
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/)
    proxy = await startTcpProxy('postgres://127.0.0.1:1/unused')
  })
})

/** Our side of a connection, and what it heard. */
class Client {
  heard = ''

  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      this.heard += bytes.toString()
    })
  }

  /** Sends a text, and waits until it has come back. */
  async says(text: string): Promise<void> {
    const expected = this.heard + text
    this.socket.write(text)
    await expect.poll(() => this.heard, { interval: 2 }).toBe(expected)
  }
}
