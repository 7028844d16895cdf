import { describe, expect, it } from 'vitest'
import { capabilitiesOf, ServersMet } from '../../../../lib/dialect/mysql/server.js'

describe('capabilitiesOf', () => {
  it.each([
    ['10.11.19-MariaDB-0+deb12u1', true],
    ['10.6.14-MariaDB-log', true],
    ['11.8.2-MariaDB-ubu2404', true],
    ['8.0.36', false],
    ['8.4.0-cluster', false],
    ['9.1.0-commercial', false],
  ])('of %s: rows come back from INSERT and DELETE: %s', (version, isGiven) => {
    expect(capabilitiesOf(version)).toMatchObject({ insertReturning: isGiven, deleteReturning: isGiven, updateReturning: false })
  })
})

describe('ServersMet', () => {
  it('can what every server can before it has met one', () => {
    expect(new ServersMet().capabilities.insertReturning).toBe(false)
  })

  it('can what all can that it has met: one of another kind behind the same address takes from it for good', () => {
    const servers = new ServersMet()
    servers.add('10.11.19-MariaDB')
    servers.add('11.8.2-MariaDB')
    expect(servers.capabilities.insertReturning).toBe(true)
    servers.add('8.0.36')
    servers.add('11.8.2-MariaDB')
    expect(servers.capabilities.insertReturning).toBe(false)
  })
})
