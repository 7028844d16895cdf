import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

// strict: a keyword or format that is misspelt is an error. Not as to types, which a schema may leave open beside anyOf
const ajv = formats.default(
  new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, unicodeRegExp: true }),
)

// only an annotation to the standard; here it is held to
ajv.removeKeyword('contentEncoding')
ajv.addKeyword({
  keyword: 'contentEncoding',
  type: 'string',
  validate: (_: string, text: string) => Buffer.from(text, 'base64').toString('base64') === text,
})

const compiled = new WeakMap<object, ValidateFunction>()

/**
 * Whether a value is what a JSON Schema of draft 2020-12 says.
 *
 * @throws the schema is none
 */
export function isValid(schema: object, value: unknown): boolean {
  const validate = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, validate)
  return validate(value) as boolean
}
