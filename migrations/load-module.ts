import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '../lib/errors.js'

/**
 * Loads a module of the project: JavaScript as Node does, TypeScript by the package tsx, which runs both kinds of decorators, in ESM and
 * CommonJS, with the options of the nearest `tsconfig.json` above the first such file. Without tsx, a Node that takes types away loads
 * what is JavaScript but for them.
 *
 * @param path  absolute
 * @returns what it exports; `default` of a CommonJS module is its `module.exports`
 * @throws {ConfigurationError} the file or tsx is not there, or the module threw; `cause` has what it threw
 */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) throw new ConfigurationError(path, 'there is no such file')
  const needsTsx = /\.[cm]?tsx?$/.test(path) && !(await runsTypeScript(path))
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    const hint = needsTsx ? '; TypeScript is run by tsx, which is not installed: run: npm install --save-dev tsx' : ''
    throw new ConfigurationError(path, `cannot be loaded: ${reasonOf(error)}${hint}`, { cause: error })
  }
}

/** A text, or for an error its class as well: of a `SyntaxError` the message alone says little. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

let running: Promise<boolean> | undefined

/** From now on tsx loads the TypeScript of this process, once for all files; false: it is not installed. */
function runsTypeScript(path: string): Promise<boolean> {
  running ??= register(path)
  return running
}

async function register(path: string): Promise<boolean> {
  const tsconfig = nearest('tsconfig.json', dirname(path))
  try {
    const [esm, cjs] = [await import('tsx/esm/api'), await import('tsx/cjs/api')]
    cjs.register()
    esm.register(tsconfig === undefined ? {} : { tsconfig })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    return false
  }
}

/** The file of that name in the folder, or in the nearest one above it. */
function nearest(name: string, folder: string): string | undefined {
  const path = join(folder, name)
  if (existsSync(path)) return path
  return dirname(folder) === folder ? undefined : nearest(name, dirname(folder))
}
