import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileWatch } from '../../../../lib/dialect/sqlite/file-watch.js'
import { freshFolder } from './sqlite-fixture.js'

describe('FileWatch', () => {
  let file: string

  beforeEach(() => {
    file = join(freshFolder(), 'shop.db')
    writeFileSync(file, 'one')
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(() => void vi.useRealTimers())

  it('sees the file where it was opened, whatever is written to it', () => {
    const watch = new FileWatch(file)
    vi.advanceTimersByTime(5_000)
    writeFileSync(file, 'another text', { flag: 'r+' })
    expect(watch.isThere()).toBe(true)
  })

  it.each([
    ['was deleted', () => rmSync(file)],
    ['has another in its place', () => [writeFileSync(`${file}-new`, 'two'), renameSync(`${file}-new`, file)]],
    ['cannot be looked at', () => [rmSync(file), symlinkSync(file, file)]],
    ['was moved away', () => renameSync(file, `${file}-old`)],
  ])('notices a file that %s, at its next look a second later', (_, act) => {
    const watch = new FileWatch(file)
    act()
    vi.advanceTimersByTime(999)
    expect(watch.isThere()).toBe(true)
    vi.advanceTimersByTime(1)
    expect(watch.isThere()).toBe(false)
    expect(watch.isThere()).toBe(false)
  })
})
