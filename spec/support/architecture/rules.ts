import { dirname } from 'node:path/posix'
import { FLOORS, isIn, MAY_IMPORT, WALLED_OFF } from './house.js'
import type { SourceFile } from './source-file.js'

/** A rule of the house: gives one line for each place where it is broken. */
export type Rule = (files: readonly SourceFile[]) => string[]

/** Every file of `lib/` has a floor. */
const eachFileHasAFloor: Rule = (files) =>
  files.filter(({ path }) => path.startsWith('lib/') && roomOf(path) === undefined).map(({ path }) => `${path} stands on no floor`)

/** Imports point down, and not into another room of the same floor. */
const importsPointDown: Rule = (files) =>
  brokenImports(files, (from, to) => {
    const [here, there] = [roomOf(from), roomOf(to)]
    return here !== undefined && there !== undefined && here.room !== there.room && there.floor >= here.floor
  })

/** Each root imports only from where it may. */
const rootsKeepToTheirOwn: Rule = (files) =>
  brokenImports(files, (from, to) => {
    const allowed = Object.entries(MAY_IMPORT).find(([root]) => isIn(root, from))?.[1]
    return isProjectFile(to) && allowed !== undefined && !allowed.some((room) => isIn(room, to))
  })

/** Folders that are walled off, such as the engines, do not import each other. */
const wallsHold: Rule = (files) =>
  brokenImports(files, (from, to) =>
    WALLED_OFF.some((folders) =>
      folders.some((folder) => isIn(folder, from) && folders.some((other) => other !== folder && isIn(other, to))),
    ),
  )

/** No file imports itself by way of others. */
const noCycles: Rule = (files) => {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]))
  const finished = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (trail.includes(path) || finished.has(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path])
    finished.add(path)
  }
  for (const { path } of files) visit(path, [])
  return cycles
}

/** No two folders import each other; a folder and one inside it are one. */
const noMutualFolders: Rule = (files) => {
  const pairs = new Set(
    files.flatMap(({ path, imports }) => imports.filter(isProjectFile).map((to) => folderPair(dirname(path), dirname(to)))),
  )
  return [...pairs].filter((pair) => {
    const [from = '', to = ''] = pair.split(' ⇄ ')
    return from < to && !isNested(from, to) && pairs.has(folderPair(to, from))
  })
}

/** Everything is exported by name; but a seed, which is its file's default export, for users too. */
const noDefaultExports: Rule = (files) =>
  files
    .filter(({ path, hasDefaultExport }) => hasDefaultExport && !/^samples\/\w+\/seeds\//.test(path))
    .map(({ path }) => `${path} has a default export`)

/** Outside the dialects, an engine's difference is a capability, not a comparison with its name. */
const noEngineNames: Rule = (files) =>
  files
    .filter(({ path }) => !isIn('lib/dialect', path))
    .flatMap(({ path, engineComparisons }) => engineComparisons.map((text) => `${path} compares an engine's name: ${text}`))

/** The package's face holds no code of its own. */
const faceHoldsNothing: Rule = (files) =>
  files.filter(({ path, holdsCode }) => path === 'index.ts' && holdsCode).map(({ path }) => `${path} does more than re-export`)

/** All rules, by name. */
export const RULES = {
  eachFileHasAFloor,
  importsPointDown,
  rootsKeepToTheirOwn,
  wallsHold,
  noCycles,
  noMutualFolders,
  noDefaultExports,
  noEngineNames,
  faceHoldsNothing,
} as const satisfies Readonly<Record<string, Rule>>

/** The name of a rule. */
export type RuleName = keyof typeof RULES

/** Their names. */
export const RULE_NAMES = Object.keys(RULES) as RuleName[]

function roomOf(path: string): { room: string; floor: number } | undefined {
  const rooms = FLOORS.flatMap((names, floor) => names.map((room) => ({ room, floor }))).filter(({ room }) => isIn(room, path))
  // lib/channels/http is a room of its own inside lib/channels
  return rooms.sort((a, b) => b.room.length - a.room.length)[0]
}

function brokenImports(files: readonly SourceFile[], isBroken: (from: string, to: string) => boolean): string[] {
  return files.flatMap(({ path, imports }) => imports.filter((to) => isBroken(path, to)).map((to) => `${path} imports ${to}`))
}

// packages are imported without an ending
function isProjectFile(imported: string): boolean {
  return imported.endsWith('.ts')
}

function folderPair(from: string, to: string): string {
  return `${from} ⇄ ${to}`
}

function isNested(one: string, other: string): boolean {
  return one === '.' || other === '.' || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
}
