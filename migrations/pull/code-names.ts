import { codeNameProblem } from '../../lib/model/names.js'

/** Words that a class cannot be called, or that its file needs for something else. */
const TAKEN_CLASSES = new Set(['Date', 'Uint8Array', 'Generated', 'GeneratedJson', 'Json', 'Many', 'One', 'Object', 'Function', 'Symbol'])

/** Words that say something else before a property in some mode of some compiler. */
const MODIFIERS = new Set(
  'abstract accessor async constructor declare get override private protected public readonly set static prototype'.split(' '),
)

/**
 * `order_items` → `OrderItem`: a class for a table, by its singular; none of `taken`, which it is added to. Where another schema's table has
 * it, `HrOrderItem`.
 */
export function className(table: string, taken: Set<string>, schema?: string): string {
  const name = classNameOf(table)
  return free(schema !== undefined && taken.has(name.toLowerCase()) ? classNameOf(`${schema}_${table}`) : name, taken)
}

function classNameOf(table: string): string {
  const words = wordsOf(table)
  const last = singular(words.at(-1) ?? 'table')
  const plain = [...words.slice(0, -1), last].map(capital).join('')
  const name = /^[\p{ID_Start}_]/u.test(plain) ? plain : `Table${plain}`
  return TAKEN_CLASSES.has(name) || codeNameProblem(name) !== undefined ? `${name}Row` : name
}

/** `created_at` → `createdAt`: a property for a column. */
export function propertyName(column: string, taken: Set<string>): string {
  const [first = 'field', ...rest] = wordsOf(column)
  const plain = [first.charAt(0).toLowerCase() + first.slice(1), ...rest.map(capital)].join('')
  const name = /^[\p{ID_Start}_]/u.test(plain) ? plain : `field${plain}`
  return free(MODIFIERS.has(name) || codeNameProblem(name) !== undefined ? `${name}Field` : name, taken)
}

/** `OrderItem` → `orderItem`, `orderItems` for several. */
export function relationName(model: string, isMany: boolean): string {
  const name = model.charAt(0).toLowerCase() + model.slice(1)
  return isMany ? plural(name) : name
}

/** A name that nothing has yet, whatever its capitals: a file is called after it. */
export function free(name: string, taken: Set<string>): string {
  let found = name
  for (let nth = 2; taken.has(found.toLowerCase()); nth++) found = `${name}${nth}`
  taken.add(found.toLowerCase())
  return found
}

/** `OrderItem` → `order-item`: its file, without an ending. */
export function fileName(model: string): string {
  return model.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1-$2').toLowerCase()
}

function wordsOf(name: string): readonly string[] {
  const shouted = name === name.toUpperCase() ? name.toLowerCase() : name
  return shouted.split(/[^\p{ID_Continue}]+|_+/u).filter((word) => word !== '')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function singular(word: string): string {
  if (/[^aeiou]ies$/i.test(word)) return `${word.slice(0, -3)}y`
  if (/(ss|x|ch|sh)es$/i.test(word)) return word.slice(0, -2)
  return /[^su]s$/i.test(word) ? word.slice(0, -1) : word
}

function plural(word: string): string {
  if (/[^aeiou]y$/i.test(word)) return `${word.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/i.test(word) ? `${word}es` : `${word}s`
}
