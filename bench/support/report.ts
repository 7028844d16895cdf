import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Settings } from '../settings.js'

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** A figure that has to hold. */
export interface Limit {
  readonly name: string
  readonly measured: number
  /** A bound itself still holds. One of the two, or both. */
  readonly atMost?: number
  readonly atLeast?: number
  readonly unit: string
  /** False where the run was too small to tell: then it cannot fail. Default true. */
  readonly isJudged?: boolean
}

export interface Report {
  readonly tables: readonly Table[]
  readonly limits: readonly Limit[]
  /** What goes to the JSON file in place of the whole report, for who reads it by program. */
  readonly json?: unknown
}

/** What a run that has these limits ends with: 1 where one that is judged does not hold. */
export function exitCodeOf(limits: readonly Limit[]): 0 | 1 {
  return limits.some((limit) => verdictOn(limit) === 'NO') ? 1 : 0
}

/** Prints the report as Markdown and writes it as JSON where that is asked for. */
export async function publish(benchmark: string, settings: Settings, report: Report): Promise<void> {
  const machine = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model,
    cores: cpus().length,
  }
  console.log(`# ${benchmark}\n\nNode ${machine.node}, ${machine.cores} × ${machine.processor}, ${machine.platform}, seed ${settings.seed}`)
  for (const table of report.tables) console.log(`\n## ${table.title}\n\n${markdown(table)}`)
  if (report.limits.length > 0) console.log(`\n## Limits\n\n${markdown(limitTable(report.limits))}`)
  if (settings.json === undefined) return
  const written = report.json ?? { benchmark, machine, settings, ...report }
  await writeFile(settings.json, `${JSON.stringify(written, null, 2)}\n`)
}

function limitTable(limits: readonly Limit[]): Table {
  return {
    title: 'Limits',
    columns: ['figure', 'limit', 'measured', 'holds'],
    rows: limits.map((limit) => [limit.name, boundOf(limit), `${shown(limit.measured)} ${limit.unit}`.trim(), verdictOn(limit)]),
  }
}

function boundOf({ atMost, atLeast, unit }: Limit): string {
  const lowest = atLeast === undefined ? [] : [`≥ ${shown(atLeast)} ${unit}`.trim()]
  const highest = atMost === undefined ? [] : [`≤ ${shown(atMost)} ${unit}`.trim()]
  return [...lowest, ...highest].join(', ')
}

function verdictOn({ measured, atMost = Infinity, atLeast = -Infinity, isJudged = true }: Limit): 'yes' | 'NO' | 'not judged' {
  if (!isJudged) return 'not judged'
  return measured <= atMost && measured >= atLeast ? 'yes' : 'NO'
}

function markdown({ columns, rows }: Table): string {
  const lines = [columns, columns.map((_, index) => (index === 0 ? '---' : '---:')), ...rows.map((row) => row.map(shown))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function shown(value: string | number): string {
  if (typeof value === 'string') return value
  const digits = Number.isInteger(value) || Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 100 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
