import { createDatabase, field, type Generated, id, type Logger, model } from 'latchwork'
import { describe, expect, it } from 'vitest'

@model()
class Note {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 20 }) title!: string
}

class MemoryLog implements Logger {
  readonly lines: { level: string; message: string; fields: object }[] = []
  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', message, fields })
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields })
  }
  of(level: string): string {
    return this.lines.flatMap((line) => (line.level === level ? [line.message] : [])).join('\n')
  }
}

describe('logger', () => {
  it('gets statements and the life of connections as debug, with no bound value', async () => {
    const log = new MemoryLog()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await db.createTables()
    await db.nodes.notes.create({ title: 'a secret title' })
    expect(log.of('debug')).toMatch(/NoteCreateNode: 1 rows in/)
    expect(log.of('debug')).toMatch(/pool sqlite::memory:#\w{4}: opened/)
    expect(JSON.stringify(log.lines)).not.toContain('a secret title')
    expect(log.of('warn')).toBe('')
  })

  it('gets a failed statement as a warning, with the typed error', async () => {
    const log = new MemoryLog()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await db.createTables()
    await db.nodes.notes.create({ title: 'twice' })
    await expect(db.nodes.notes.create({ title: 'twice' })).rejects.toThrow()
    expect(log.of('warn')).toMatch(/NoteCreateNode failed after .* ms: Note: another row has the same unique key on title/)
    expect(log.lines.at(-1)?.fields).toMatchObject({ label: 'NoteCreateNode', error: { code: 'UNIQUE_VIOLATION' } })
  })

  it('hears nothing of other databases, and nothing after close', async () => {
    const log = new MemoryLog()
    const db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await using other = createDatabase({ url: 'sqlite::memory:', models: { notes: Note } })
    await other.createTables()
    expect(log.lines).toEqual([])
    await db.close()
    await other.nodes.notes.create({ title: 'unheard' })
    expect(log.lines).toEqual([])
  })

  it('is refused where it cannot be written to', () => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: { info() {} } as never })).toThrow(
      'logger: expected an object with debug and warn',
    )
  })
})
