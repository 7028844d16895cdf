import type { ElementSpec } from '../../lib/model/field-spec.js'
import { codeText } from './code-text.js'
import type { ModelPlan, PlannedField, PlannedRelation } from './model-plan.js'

/** The file of a model: its class with a decorator a property, and what it imports. `notes` stand above it. */
export function modelText(plan: ModelPlan, notes: readonly string[]): string {
  const { name, fields, relations, options } = plan
  const lines = [...fields.map(fieldText), ...relations.map(relationText)]
  const code = [`@model(${optionsText(options)})`, `export class ${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n')
  const others = new Map(relations.filter(({ target }) => target.name !== name).map(({ target }) => [target.name, target.file]))
  const imports = [...others]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([each, file]) => `import { ${each} } from './${file}.js'`)
  const comments = notes.map((note) => `// ${note.replaceAll(/\s+/g, ' ')}`)
  return `${[`import { ${imported(code, relations)} } from 'latchwork'`, ...imports, '', ...comments, code].join('\n')}\n`
}

const LINE_LENGTH = 120

/** On a line, or where that is long one a line, of lists one an item. */
function optionsText(options: object): string {
  const line = codeText(options)
  if (line.length <= LINE_LENGTH) return line
  const entries = Object.entries(options).map(([key, value]) => {
    if (!Array.isArray(value)) return `  ${key}: ${codeText(value)},`
    return [`  ${key}: [`, ...value.map((item) => `    ${codeText(item)},`), '  ],'].join('\n')
  })
  return ['{', ...entries, '}'].join('\n')
}

const VALUES = ['belongsTo', 'createdAt', 'field', 'hasMany', 'hasOne', 'id', 'model', 'updatedAt']
const TYPES = ['Generated', 'GeneratedJson', 'Json']

function imported(code: string, relations: readonly PlannedRelation[]): string {
  const values = VALUES.filter((name) => new RegExp(`^ *@${name}\\b`, 'm').test(code))
  const types = TYPES.filter((name) => new RegExp(`!: ${name}<`).test(code))
  const ties = [...new Set(relations.map(({ spec }) => (spec.kind === 'hasMany' ? 'Many' : 'One')))]
  return [...values, ...[...types, ...ties].map((name) => `type ${name}`)]
    .sort((one, other) => (one.replace('type ', '').toLowerCase() < other.replace('type ', '').toLowerCase() ? -1 : 1))
    .join(', ')
}

/** Any option of any kind, each still to be written. */
interface AnySpec {
  readonly kind: string
  readonly primary?: boolean
  readonly increment?: boolean
  readonly nullable?: boolean
  readonly role?: string
  readonly length?: number
  readonly values?: readonly string[]
  readonly of?: ElementSpec
  readonly precision?: number
  readonly default?: unknown
  readonly defaultSql?: string
}

function fieldText({ property, spec }: PlannedField): string {
  return `@${decoratorText(spec as AnySpec)} ${property}!: ${typeText(spec as AnySpec)}`
}

function decoratorText(spec: AnySpec): string {
  const { kind, primary, increment, role, length, values, of, ...options } = spec
  if (role !== undefined) return `${role}(${codeText(options)})`
  if (increment === true) return `id(${codeText(kind)}, ${codeText(options)})`
  const decorator = primary === true ? 'id' : 'field'
  switch (kind) {
    case 'varchar':
      return `${decorator}.varchar(${length}, ${codeText(options)})`
    case 'enum':
      return `${decorator}.oneOf(${codeText(values)}, ${codeText(options)})`
    case 'array':
      return `${decorator}.array(${Object.keys(of!).length === 1 ? codeText(of!.kind) : codeText(of)}, ${codeText(options)})`
    case 'timestamp': {
      const { precision, ...rest } = options
      return `${decorator}.timestamp(${codeText(precision === 3 ? rest : options)})`
    }
    default:
      return `${decorator}.${kind}(${codeText(options)})`
  }
}

function typeText(spec: AnySpec): string {
  const { nullable, increment, role, defaultSql } = spec
  const isGenerated = increment === true || role !== undefined || spec.default !== undefined || defaultSql !== undefined
  const orNull = nullable === true ? ' | null' : ''
  // it says itself that it may be left out; what is in it nobody knows, but that null is the column's
  if (spec.kind === 'json') return `${isGenerated ? 'GeneratedJson' : 'Json'}<NonNullable<unknown>>${orNull}`
  const plain = `${plainType(spec)}${orNull}`
  return isGenerated ? `Generated<${plain}>` : plain
}

function plainType({ kind, values, of, precision }: AnySpec): string {
  switch (kind) {
    case 'integer':
    case 'float':
      return 'number'
    case 'bigint':
    case 'boolean':
      return kind
    case 'timestamp':
      return precision === 6 ? 'string' : 'Date'
    case 'bytes':
      return 'Uint8Array'
    case 'enum':
      return values!.map((value) => codeText(value)).join(' | ')
    case 'array': {
      const element = plainType(of as AnySpec)
      return `readonly ${element.includes(' ') ? `(${element})` : element}[]`
    }
    default:
      return 'string'
  }
}

function relationText({ property, spec, target, isOptional }: PlannedRelation): string {
  const { kind, target: _, ...options } = spec
  const { foreignKey } = spec as { readonly foreignKey: readonly string[] }
  const isPlain = Object.keys(options).length === 1
  const short = foreignKey.length === 1 ? foreignKey[0] : foreignKey
  const key = codeText(isPlain ? short : { ...options, foreignKey: short })
  const type = kind === 'hasMany' ? `Many<${target.name}>` : `One<${target.name}>${isOptional ? ' | null' : ''}`
  return `@${kind}(() => ${target.name}, ${key}) ${property}!: ${type}`
}
