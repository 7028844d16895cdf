import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let version: string | undefined

/** The version of this package, by the nearest package.json above this file. */
export function toolVersion(): string {
  version ??= readVersion(dirname(fileURLToPath(import.meta.url)))
  return version
}

function readVersion(folder: string): string {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version?: string }).version ?? 'unknown'
  } catch {
    const above = dirname(folder)
    // a bundle has none
    return above === folder ? 'unknown' : readVersion(above)
  }
}
