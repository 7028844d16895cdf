import { connect as connectTcp, isIP, type NetConnectOpts, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type Deadline, deadlineAfter, LATE, remainingMs, settledBy } from '../../deadline.js'
import { loadTls } from './server.js'

/** Which statement to stop: whatever runs in this session. */
export interface SessionKey {
  readonly processId: number
  readonly secretKey: number
}

/** How long the attempts to stop a statement may go on, all together. They keep the process alive, and nothing else may wait for them. */
export const CANCEL_TIMEOUT_MS = 1_500

/**
 * Asks the server to stop what a session is doing, on a connection of its own that needs neither a free slot nor a
 * privilege; settles once the server has passed the request on, at the latest at the deadline. Whether anything ran is not told.
 *
 * Source: PostgreSQL 15 manual, 55.2.8 "Canceling Requests in Progress".
 *
 * @throws what the network or TLS raised before the request was sent
 */
export function requestCancel(
  address: NetConnectOpts,
  tls: ConnectionOptions | undefined,
  key: SessionKey,
  deadline: Deadline,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(address)
    let isSent = false
    const end = (error: Error) => {
      socket.destroy()
      // the server answers by closing, hard or soft: once the request is out, that is all there is to wait for
      if (isSent) resolve()
      else reject(error)
    }
    const send = (channel: Socket) => {
      channel.on('error', end)
      channel.resume()
      channel.write(message(CANCEL_REQUEST, key.processId, key.secretKey), () => {
        isSent = true
      })
    }
    const timer = setTimeout(() => end(new Error('the server did not take the request in time')), remainingMs(deadline))
    socket.on('error', end)
    socket.on('close', () => clearTimeout(timer))
    socket.on('close', () => end(new Error('the server closed the connection before the request was sent')))
    socket.on('connect', () => (tls === undefined ? send(socket) : encrypt(socket, tls, send, end)))
  })
}

/** Milliseconds to wait for an answer each time before asking once more. */
const ASK_AGAIN_AFTER_MS = [100, 400]

/**
 * Sends a request to cancel again for as long as the statement is not `answered`: one that overtakes its statement on
 * the way finds nothing to stop. Settles with the answer, or after a second without one, or at the deadline; never rejects.
 */
export async function insistOnCancel(request: () => Promise<void>, answered: Promise<void>, deadline: Deadline): Promise<void> {
  const within = (ms: number) => settledBy(answered, Math.min(deadlineAfter(ms), deadline))
  for (const pauseMs of ASK_AGAIN_AFTER_MS) {
    if ((await within(pauseMs)) !== LATE || remainingMs(deadline) === 0) return
    // the first was taken: should the server be out of reach by now, it notices by itself
    await request().catch(() => undefined)
  }
  await within(500)
}

function encrypt(socket: Socket, tls: ConnectionOptions, onReady: (channel: Socket) => void, onFailure: (error: Error) => void): void {
  socket.write(message(SSL_REQUEST))
  socket.once('data', (answer) => {
    if (answer.toString() !== 'S') return onFailure(new Error('the server does not take TLS connections'))
    const channel = loadTls().connect({ ...tls, socket }, () => onReady(channel))
    channel.on('error', onFailure)
  })
}

const SSL_REQUEST = 80_877_103
const CANCEL_REQUEST = 80_877_102

function message(...words: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 + words.length * 4)
  for (const [index, word] of [buffer.length, ...words].entries()) buffer.writeInt32BE(word, index * 4)
  return buffer
}

/** The name to ask a server for by TLS; none where it is known by its address. */
export function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {}
}
