import { defineNode } from 'latchwork'

export interface PriceRow {
  readonly product: string
  readonly cents: number
}

const ROWS_A_PAGE = 50

/** Stands for a supplier's service: pages of prices, every third request fails at first, and one page is broken for good. */
export function supplier(brokenPage?: number) {
  let requests = 0
  return defineNode({
    name: 'FetchPage',
    effect: 'read',
    run: async (page): Promise<readonly PriceRow[]> => {
      if (++requests % 3 === 0) throw new Error('503 Service Unavailable')
      const first = (page as number) * ROWS_A_PAGE
      return Array.from({ length: ROWS_A_PAGE }, (_, at) => ({
        product: `product ${first + at}`,
        cents: page === brokenPage && at === 7 ? 2 ** 40 : 100 + first + at,
      }))
    },
  })
}
