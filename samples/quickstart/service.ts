import { UniqueViolationError } from 'latchwork'
import type { GeoDatabase } from './database.js'
import { count, step } from './print.js'

const PLACE = { countryCode: 'IS', name: 'Latchwork', latitude: '64.5', longitude: '-18.25' }
const PAGE_SIZE = 3

/** What an application does all day. Leaves the database as it was. */
export async function useAsService(db: GeoDatabase): Promise<void> {
  const { cities, countries } = db.nodes
  // an earlier run may have been stopped halfway
  await cities.bulkDelete({ where: PLACE })

  await step('create', async () => {
    const city = await cities.create(PLACE)
    return `${city.name} at ${city.latitude}, ${city.longitude}`
  })
  await step('create', async () => {
    const refusal = await cities.create(PLACE).catch((error: unknown) => error)
    if (!(refusal instanceof UniqueViolationError)) throw refusal
    return `again: ${refusal.code} on ${refusal.fields.join(', ')}`
  })
  await step('read', async () => {
    const iceland = await countries.readOrThrow({ where: { code: 'IS' } }, { select: ['name', 'capital'] })
    return `${iceland.name}, capital ${iceland.capital}`
  })
  await step('update', async () => {
    const city = await cities.update({ where: PLACE, set: { regionCode: 'IS.39' } })
    return `${city.name} is in region ${city.regionCode}`
  })
  await step('upsert', async () => {
    const values = { ...PLACE, regionCode: 'IS.41' }
    const first = await cities.upsert({ on: ['countryCode', 'name', 'latitude', 'longitude'], values })
    const second = await cities.upsert({ on: ['countryCode', 'name', 'latitude', 'longitude'], values })
    return `to region ${first.row.regionCode}: ${first.outcome}; once more: ${second.outcome}`
  })
  for (const page of [1, 2]) {
    await step('list', async () => {
      const { rows, total } = await cities.list(
        {
          where: { countryCode: 'IS', name: { $startsWith: 'S' } },
          orderBy: { name: 'asc' },
          limit: PAGE_SIZE,
          offset: (page - 1) * PAGE_SIZE,
          total: true,
        },
        { select: ['name'] },
      )
      return `${total} in Iceland with S, page ${page}: ${rows.map(({ name }) => name).join(', ')}`
    })
  }
  await step('count', async () => {
    const north = await cities.count({ where: { latitude: { $gt: '66.56' } } })
    const nordic = await cities.count({ where: { countryCode: { $in: ['DK', 'FI', 'IS', 'NO', 'SE'] } } })
    return `${count(north)} cities north of the Arctic Circle, ${count(nordic)} in the Nordic countries`
  })
  await step('transaction', async () => {
    const inIceland = { where: { countryCode: 'IS' } }
    const before = await cities.count(inIceland)
    let within = before
    const changedMind = new Error('rolled back')
    await db
      .transaction(async () => {
        await cities.bulkDelete(inIceland)
        within = await cities.count(inIceland)
        throw changedMind
      })
      .catch((error: unknown) => {
        if (error !== changedMind) throw error
      })
    return `Iceland's ${before} cities deleted: ${within} left; rolled back: ${await cities.count(inIceland)}`
  })
  await step('delete', async () => {
    const { name } = await cities.delete({ where: PLACE })
    return `${name}, which was here for this run only`
  })
}
