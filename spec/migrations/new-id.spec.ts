import { describe, expect, it } from 'vitest'
import { newMigrationId } from '../../migrations/new-id.js'

const NOON = new Date('2026-11-23T12:00:00.987Z')

describe('newMigrationId', () => {
  it('is the time in UTC and the name in lower case', () => {
    expect(newMigrationId('Add e-mail', NOON, [])).toBe('20261123T120000Z_add_e_mail')
    expect(newMigrationId('  Größe & Maß ', NOON, [])).toBe('20261123T120000Z_gro_e_ma')
  })

  it('sorts behind every id that is there, also those of a clock that went ahead', () => {
    expect(newMigrationId('b', NOON, ['20261123T120000Z_a'])).toBe('20261123T120001Z_b')
    expect(newMigrationId('b', NOON, ['20261231T235959Z_a', '20260101T000000Z_z'])).toBe('20270101T000000Z_b')
  })

  it('refuses a name without letters, and one that is too long, by how much', () => {
    expect(() => newMigrationId('…', NOON, [])).toThrow('name: expected letters or digits, got "…"')
    expect(newMigrationId('x'.repeat(43), NOON, [])).toHaveLength(60)
    expect(() => newMigrationId('x'.repeat(45), NOON, [])).toThrow('is too long: 2 characters less will do')
  })
})
