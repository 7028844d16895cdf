import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Sample, verdictOn } from './verdict.js'

/** Ten minutes of a sample every ten seconds, each figure as its function of the minute says. */
function tenMinutes(figures: Partial<Record<'heapMiB' | 'rssMiB' | 'descriptors' | 'statements', (minute: number) => number>>): Sample[] {
  return Array.from({ length: 60 }, (_, index) => {
    const atMinute = (index + 1) / 6
    const { heapMiB = () => 20, rssMiB = () => 90, descriptors = () => 30, statements = () => 100 } = figures
    const noise = Math.sin(index * 1.7)
    return {
      atMinute,
      heapMiB: heapMiB(atMinute) + noise,
      rssMiB: rssMiB(atMinute),
      descriptors: descriptors(atMinute) + Math.round(noise * 2),
      statements: statements(atMinute) + Math.round(noise * 10),
    }
  })
}

describe('the verdict on a soak', () => {
  it('has nothing to say of figures that stay where they are, whatever happened while they warmed up', () => {
    const warmingUp = (minute: number) => 20 + 50 * Math.min(minute, 1.9)
    const verdict = verdictOn(
      tenMinutes({ heapMiB: (minute) => (minute < 2 ? warmingUp(minute) : 115), rssMiB: (minute) => 90 + minute * 9 }),
    )
    expect(verdict).toMatchObject({ isJudged: true, complaints: [] })
    expect(verdict.growth).toHaveLength(3)
  })

  it.each([
    ['heap after garbage collection', { heapMiB: (minute: number) => 20 + 0.6 * minute }],
    ['file descriptors', { descriptors: (minute: number) => 30 + Math.floor(1.5 * minute) }],
    ['prepared statements', { statements: (minute: number) => 100 + 15 * minute }],
  ])('names what grows: %s', (name, figures) => {
    const { complaints } = verdictOn(tenMinutes(figures))
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toContain(name)
  })

  it('asks for more where a line goes up among points too far from it to be sure', () => {
    // what one MariaDB kept prepared, while its sessions were ended and made anew at random
    const kept = [102, 78, 84, 76, 101, 100, 104, 95, 107]
    const samples = tenMinutes({}).slice(12, 12 + kept.length)
    const verdict = verdictOn(samples.map((sample, index) => ({ ...sample, statements: kept[index] })))
    expect(verdict).toMatchObject({ isJudged: false, complaints: [] })
    expect(verdict.growth.at(-1)).toMatch(/^prepared statements: \+1\d\.\d+ ± 1\d\.\d+ statements a minute \(limit 10\)$/)
  })

  it('lets the heap grow by less than half a MiB a minute', () => {
    expect(verdictOn(tenMinutes({ heapMiB: (minute) => 20 + 0.4 * minute })).complaints).toEqual([])
  })

  it('does not judge what was too short, nor figures that are not to be had', () => {
    expect(verdictOn(tenMinutes({ heapMiB: (minute) => 20 + 9 * minute }).filter(({ atMinute }) => atMinute < 2.5))).toMatchObject({
      isJudged: false,
    })
    const without = tenMinutes({}).map((sample) => ({ ...sample, descriptors: undefined, statements: undefined }))
    expect(verdictOn(without).growth).toHaveLength(1)
  })
})

describe('the soak', () => {
  it('runs, shows its figures, and says when it was too short to be judged', { timeout: 60_000 }, async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const parameters = ['--expose-gc', '--import', 'tsx', main, '--engine', 'sqlite', '--minutes', '0.05', '--every', '1']
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(process.execPath, parameters, { env: { ...process.env, NODE_OPTIONS: '' } }, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, output: stdout + stderr })
      })
    })
    expect(output).toMatch(/sqlite +0\.0\d min +heap +\d+\.\d\d MiB/)
    expect(output).toContain('too short to be judged')
    expect(code).toBe(2)
  })
})
