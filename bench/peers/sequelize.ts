import { DataTypes, type InferAttributes, type InferCreationAttributes, Model, Op, Sequelize, type Transaction } from 'sequelize'
import type { Adapter } from '../compare/adapter.js'
import { TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

/** Sequelize's models, on PostgreSQL and MariaDB; what is measured gives its instances. */
export async function open({ engine, url, maxConnections }: Place): Promise<Adapter> {
  const sequelize = new Sequelize(url, { dialect: engine, pool: { max: maxConnections }, logging: false })
  const { User } = modelsOf(sequelize)
  const { returnsRows: canReturn } = TRAITS[engine]
  const on = (transaction?: Transaction): Pick<Adapter, 'read' | 'insert' | 'update'> => {
    const options = transaction === undefined ? {} : { transaction }
    return {
      read: (id) => User.findByPk(id, options),
      insert: (user) => User.create(user, options),
      update: async (id, age) => {
        const [, rows] = await User.update({ age }, { where: { id }, returning: canReturn as true, ...options })
        return canReturn ? rows[0]! : (await User.findByPk(id, options))!
      },
    }
  }
  return {
    ...on(),
    list: (from) => User.findAll({ where: { id: { [Op.gte]: from }, active: true }, order: [['id', 'ASC']], limit: 50 }),
    include: (from) => User.findAll({ where: { id: { [Op.gte]: from } }, order: [['id', 'ASC']], limit: 50, include: 'posts' }),
    upsert: async (user) => {
      const [row] = await User.upsert(user, { conflictFields: ['email'], fields: ['age', 'email', 'name', 'active', 'joinedAt'] })
      return canReturn ? row : (await User.findOne({ where: { email: user.email } }))!
    },
    count: (from, to) => User.count({ where: { id: { [Op.gte]: from, [Op.lt]: to } } }),
    transaction: (id, user) => {
      return sequelize.transaction(async (transaction) => {
        const { read, insert } = on(transaction)
        const { age } = (await read(id))!
        await User.update({ age: age + 1 }, { where: { id }, transaction })
        return insert(user)
      })
    },
    bulk: (users) => User.bulkCreate([...users]),
    plain: (row) => (row instanceof Model ? row.get({ plain: true }) : row),
    close: () => sequelize.close(),
  }
}

function modelsOf(sequelize: Sequelize) {
  class Post extends Model<InferAttributes<Post>, InferCreationAttributes<Post>> {
    declare id: number
    declare userId: number
    declare title: string
    declare words: number
    declare writtenAt: Date
  }

  class User extends Model<InferAttributes<User, { omit: 'posts' }>, InferCreationAttributes<User, { omit: 'id' | 'posts' }>> {
    declare id: number
    declare email: string
    declare name: string
    declare age: number
    declare active: boolean
    declare joinedAt: Date
    declare readonly posts: Post[]
  }

  const options = { sequelize, timestamps: false, underscored: true }
  // a new object each time: it writes the column's name into what it is given
  const id = () => ({ type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true })
  const required = <Type>(type: Type) => ({ type, allowNull: false })
  User.init(
    {
      id: id(),
      email: { ...required(DataTypes.STRING(80)), unique: true },
      name: required(DataTypes.STRING(80)),
      age: required(DataTypes.INTEGER),
      active: required(DataTypes.BOOLEAN),
      joinedAt: required(DataTypes.DATE(3)),
    },
    { ...options, tableName: 'users' },
  )
  Post.init(
    {
      id: id(),
      userId: required(DataTypes.INTEGER),
      title: required(DataTypes.STRING(80)),
      words: required(DataTypes.INTEGER),
      writtenAt: required(DataTypes.DATE(3)),
    },
    { ...options, tableName: 'posts' },
  )
  User.hasMany(Post, { as: 'posts', foreignKey: 'userId' })
  return { User, Post }
}
