import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openStallingFront } from '../../bench/load/stalling-front.js'

describe('the stalling front', () => {
  it('takes a connection at once, holds it, and then forwards what was sent and what is answered', async () => {
    const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const { port } = echo.address() as AddressInfo
    const front = await openStallingFront(`postgres://somebody@127.0.0.1:${port}/shop?application_name=shop`, 200)
    const url = new URL(front.url)
    expect([url.username, url.pathname, url.search]).toEqual(['somebody', '/shop', '?application_name=shop'])

    const client = connect(Number(url.port), '127.0.0.1')
    await once(client, 'connect')
    const sinceMs = performance.now()
    client.write('hello')
    const [answer] = await once(client, 'data')
    expect(String(answer)).toBe('hello')
    expect(performance.now() - sinceMs).toBeGreaterThan(150)

    await front.close()
    await once(client, 'close')
    echo.close()
  })

  it('closes while it holds a connection', async () => {
    const front = await openStallingFront('mysql://root@127.0.0.1:1/shop', 60_000)
    const client = connect(Number(new URL(front.url).port), '127.0.0.1')
    await once(client, 'connect')
    await front.close()
    await once(client, 'close')
  })
})
