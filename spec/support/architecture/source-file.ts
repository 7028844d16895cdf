import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseAst } from 'vitest/node'

/** What the rules of the house look at in one file. Paths are relative to the project's root. */
export interface SourceFile {
  readonly path: string
  /** Files it imports, types included, as the sources they are; and packages, by name. */
  readonly imports: readonly string[]
  readonly hasDefaultExport: boolean
  /** Comparisons with an engine's name, as written. */
  readonly engineComparisons: readonly string[]
  /** It has statements other than `export … from`. */
  readonly holdsCode: boolean
}

interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [property: string]: unknown
}

const ENGINE_NAMES: readonly unknown[] = ['postgres', 'postgresql', 'mysql', 'mariadb', 'sqlite']

/** Reads every TypeScript source of each folder, or the one file of that name; what is not there has none. */
export function readSources(root: string, entries: readonly string[]): SourceFile[] {
  const present = entries.filter((entry) => existsSync(join(root, entry)))
  return present.flatMap((entry) => pathsOf(root, entry).map((path) => parseSource(path, readFileSync(join(root, path), 'utf8'))))
}

/** Folders of what is not written here: installed, built or generated. A link in them may lead back to the root. */
const FOREIGN: ReadonlySet<string> = new Set(['node_modules', 'dist', 'generated'])

function pathsOf(root: string, entry: string): string[] {
  if (entry.endsWith('.ts')) return [entry]
  return readdirSync(join(root, entry), { withFileTypes: true }).flatMap((child) => {
    const path = posix.join(entry, child.name)
    if (child.isDirectory()) return FOREIGN.has(child.name) ? [] : pathsOf(root, path)
    return path.endsWith('.ts') ? [path] : []
  })
}

/** Parses one file's text. */
export function parseSource(path: string, text: string): SourceFile {
  const program = parseAst(text, { lang: 'ts' }, path) as unknown as AstNode & { body: readonly AstNode[] }
  const nodes = [...walk(program)]
  return {
    path,
    imports: nodes.flatMap((node) => specifierOf(node) ?? []).map((specifier) => resolved(path, specifier)),
    hasDefaultExport:
      nodes.some(({ type }) => type === 'ExportDefaultDeclaration' || type === 'TSExportAssignment') || exportsAsDefault(nodes),
    engineComparisons: nodes.filter(comparesEngine).map(({ start, end }) => text.slice(start, end)),
    holdsCode: program.body.some((node) => specifierOf(node) === undefined || node.type === 'ImportDeclaration'),
  }
}

function* walk(value: unknown): Generator<AstNode> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  if ('type' in value && typeof value.type === 'string') yield value as AstNode
  for (const child of Object.values(value)) yield* walk(child)
}

// import and export … from, import(), and import('…') in a type
function specifierOf(node: AstNode): string | undefined {
  if (!/^(Import|ExportNamed|ExportAll)Declaration$|^ImportExpression$|^TSImportType$/.test(node.type)) return undefined
  const source = (node.source ?? undefined) as { readonly value?: unknown } | undefined
  return typeof source?.value === 'string' ? source.value : undefined
}

function resolved(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

function exportsAsDefault(nodes: readonly AstNode[]): boolean {
  return nodes.some(({ type, exported }) => type === 'ExportSpecifier' && (exported as { name?: unknown } | undefined)?.name === 'default')
}

function comparesEngine({ type, operator, left, right, test }: AstNode): boolean {
  if (type === 'SwitchCase') return isEngineName(test)
  return type === 'BinaryExpression' && /^[=!]==?$/.test(String(operator)) && (isEngineName(left) || isEngineName(right))
}

function isEngineName(node: unknown): boolean {
  return ENGINE_NAMES.includes((node as { readonly value?: unknown } | null)?.value)
}
