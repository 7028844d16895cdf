import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ServerProgram } from './throwaway-server.js'

/** MariaDB's own binaries on this machine, or undefined. */
export function mariadbBinaries(): ServerProgram | undefined {
  const server = executable('mariadbd')
  const installer = executable('mariadb-install-db')
  return server === undefined || installer === undefined ? undefined : mariadbProgram(server, installer)
}

function executable(name: string): string | undefined {
  // servers are in /usr/sbin, which is not in everyone's PATH
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function mariadbProgram(server: string, installer: string): ServerProgram {
  return {
    engine: 'mysql',
    initialise: (folder) => [
      installer,
      ...['--no-defaults', `--datadir=${join(folder, 'data')}`, `--tmpdir=${join(folder, 'run')}`],
      ...['--auth-root-authentication-method=normal', '--skip-test-db'],
    ],
    run: (folder, port) => [
      server,
      ...[
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        `--tmpdir=${join(folder, 'run')}`,
        `--socket=${join(folder, 'run', 'socket')}`,
      ],
      ...[`--port=${port}`, '--bind-address=127.0.0.1', '--character-set-server=utf8mb4', '--max-connections=200'],
      ...['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=32M', '--innodb-flush-log-at-trx-commit=0'],
    ],
    url: (port) => `mysql://root@127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
  }
}
