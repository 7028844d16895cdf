import type { PullDocument } from '../../documents.js'
import type { Terminal } from '../terminal.js'

/** The files that were written, and what they do not say; of a dry run the files. */
export function pullText({ models, findings, ok }: PullDocument, { onResult }: Terminal): string {
  if (!ok) return ''
  const planned = models.flatMap(({ file, text }) => (text === null ? [] : [`// ${file}\n${text}`]))
  const lines = models.flatMap(({ state, file, model, table }) => {
    if (state === 'planned') return []
    return [`${state === 'written' ? onResult('green', 'wrote') : 'kept '}  ${file}  ${model} of ${table}`]
  })
  const said = findings.map(({ table, object, problem }) => {
    const what = object === null ? table : `${table}, ${object}`
    return planned.length === 0 ? `${onResult('yellow', 'not said')}  ${what}: ${problem}` : `// not said: ${what}: ${problem}`
  })
  return models.length + said.length === 0 ? 'there are no tables' : [...planned, ...lines, ...said].join('\n')
}
