import type { Adapter } from '../compare/adapter.js'
import type { EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import type { PrismaClient } from './prisma/generated/postgres/client.js'

/** Prisma's client without its Rust engine, on a driver adapter: `pg`, `mariadb`, or `better-sqlite3`. */
export async function open(place: Place): Promise<Adapter> {
  const prisma = await CLIENTS[place.engine](place)
  return {
    read: (id) => prisma.user.findUnique({ where: { id } }),
    insert: (user) => prisma.user.create({ data: user }),
    update: (id, age) => prisma.user.update({ where: { id }, data: { age } }),
    list: (from) => prisma.user.findMany({ where: { id: { gte: from }, active: true }, orderBy: { id: 'asc' }, take: 50 }),
    include: (from) => {
      return prisma.user.findMany({ where: { id: { gte: from } }, orderBy: { id: 'asc' }, take: 50, include: { posts: true } })
    },
    upsert: (user) => prisma.user.upsert({ where: { email: user.email }, create: user, update: { age: user.age } }),
    count: (from, to) => prisma.user.count({ where: { id: { gte: from, lt: to } } }),
    transaction: (id, user) => {
      return prisma.$transaction(async (transaction) => {
        const { age } = await transaction.user.findUniqueOrThrow({ where: { id } })
        await transaction.user.update({ where: { id }, data: { age: age + 1 } })
        return transaction.user.create({ data: user })
      })
    },
    bulk: (users) => prisma.user.createMany({ data: [...users] }),
    close: () => prisma.$disconnect(),
  }
}

// each engine's client is generated for it; what is used of them here has the same types
const CLIENTS: Readonly<Record<EngineName, (place: Place) => Promise<PrismaClient>>> = {
  postgres: async ({ url, maxConnections }) => {
    const [{ PrismaPg }, { PrismaClient }] = await Promise.all([
      import('@prisma/adapter-pg'),
      import('./prisma/generated/postgres/client.js'),
    ])
    return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: maxConnections }) })
  },
  mysql: async ({ url, maxConnections }) => {
    const [{ PrismaMariaDb }, { PrismaClient }] = await Promise.all([
      import('@prisma/adapter-mariadb'),
      import('./prisma/generated/mysql/client.js'),
    ])
    const { hostname, port, username, password, pathname } = new URL(url)
    const adapter = new PrismaMariaDb({
      host: hostname,
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      connectionLimit: maxConnections,
    })
    return new PrismaClient({ adapter }) as unknown as PrismaClient
  },
  sqlite: async ({ url }) => {
    const [{ PrismaBetterSqlite3 }, { PrismaClient }] = await Promise.all([
      import('@prisma/adapter-better-sqlite3'),
      import('./prisma/generated/sqlite/client.js'),
    ])
    return new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${url.slice('sqlite:'.length)}` }) }) as unknown as PrismaClient
  },
}
