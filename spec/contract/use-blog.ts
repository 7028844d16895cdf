import { beforeAll } from 'vitest'
import { queryEvents } from '../../lib/events.js'
import type { SpecEngine } from '../support/engines.js'
import { models } from './blog.js'
import { useDatabase } from './use-database.js'

export const IMAGE = new Uint8Array([0, 255, 13, 10])
export const FEE = `${'9'.repeat(28)}.0000000001`
export const PUBLISHED = new Date('2026-03-29T01:30:00.123Z')

/** A blog with its rows, made before the tests of a `describe`. */
export function useBlog(engine: SpecEngine) {
  const use = useDatabase(engine, models)
  beforeAll(async () => {
    const { countries, writers, portraits, articles, topics, taggings } = use.nodes
    await countries.bulkCreate({
      rows: [
        { code: 'FR', name: 'France' },
        { code: 'fr', name: 'another one' },
        { code: 'SE', name: 'Sweden' },
      ],
    })
    const ada = await writers.create({ name: 'Ada', countryCode: 'FR', fee: FEE })
    const bob = await writers.create({ name: 'Bob', countryCode: 'fr', mentorId: ada.id })
    const cleo = await writers.create({ name: 'Cleo', countryCode: null, mentorId: ada.id })
    await writers.create({ name: 'Dan', countryCode: 'FR', mentorId: bob.id })
    await portraits.create({ writerId: ada.id, image: IMAGE })
    const rows = [
      { writerId: ada.id, title: 'a1', rating: 3, details: { words: 100 }, publishedAt: PUBLISHED },
      { writerId: ada.id, title: 'a2', rating: null },
      { writerId: ada.id, title: 'a3', rating: 5 },
      { writerId: ada.id, title: 'a4 gone', rating: 9 },
      { writerId: bob.id, title: 'b1', rating: 1 },
      { writerId: cleo.id, title: 'c1 gone', rating: 5 },
    ]
    const made = (await articles.bulkCreate({ rows, returning: true })).rows!
    await topics.bulkCreate({
      rows: [
        { area: 'art', name: 'music', weight: 2 },
        { area: 'art', name: 'dance' },
        { area: 'law', name: 'music', weight: 1 },
      ],
    })
    const tag = (title: string, topicArea: string, topicName: string) => ({
      articleId: made.find((article) => article.title === title)!.id,
      topicArea,
      topicName,
    })
    await taggings.bulkCreate({
      rows: [
        tag('a1', 'art', 'music'),
        tag('a1', 'law', 'music'),
        tag('a2', 'art', 'music'),
        tag('a4 gone', 'art', 'dance'),
        tag('b1', 'art', 'dance'),
      ],
    })
    await articles.bulkDelete({ where: { title: { $endsWith: 'gone' } } })
    await taggings.bulkDelete({ where: { article: { title: 'b1' } } })
  })
  return use
}

/** How many statements a piece of work sends. */
export async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  return (await textsOf(work)).length
}

/** The statements that a piece of work sends. */
export async function textsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const texts: string[] = []
  const listener = ({ sql }: { readonly sql: string }) => void texts.push(sql)
  queryEvents.subscribe(listener)
  try {
    await work()
  } finally {
    queryEvents.unsubscribe(listener)
  }
  return texts
}
