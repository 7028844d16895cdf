import type { Generated } from 'kysely'
import { describe, expect, it } from 'vitest'
import { belongsTo, field, hasMany, hasOne, id, manyToMany, model } from '../../decorators/index.js'
import { definitionOf } from '../../lib/model/define-model.js'
import type { Many, One } from '../../lib/model/row-types.js'

class Entity {
  @id() id!: Generated<number>
  @field.text({ nullable: true }) note!: string | null
}

@model({ name: 'Person', table: 'people', schema: 'hr', comment: 'who works here', renamedFrom: 'persons', uniques: [{ on: ['email'] }] })
class Employee extends Entity {
  @field.text({ maxLength: 99 }) email!: string
  @field.integer({ nullable: true }) bossId!: number | null
  @belongsTo(() => Employee, { foreignKey: 'bossId', onDelete: 'setNull' }) boss!: One<Employee> | null
  @hasMany(() => Employee, 'bossId') reports!: Many<Employee>
  @hasOne(() => Badge, { foreignKey: 'employeeId', references: 'id' }) badge!: One<Badge> | null
  @manyToMany(() => Badge, { through: () => Badge, foreignKey: 'employeeId', otherKey: ['id'] }) badges!: Many<Badge>
}

@model()
class Badge extends Entity {
  // the base's field said anew
  @field.varchar(10, { nullable: true }) override note: string | null = null
  @field.integer() employeeId!: number
}

describe('model', () => {
  it('hands its options on', () => {
    expect(definitionOf(Employee)).toMatchObject({
      name: 'Person',
      table: 'people',
      schema: 'hr',
      comment: 'who works here',
      renamedFrom: 'persons',
      uniques: [{ fields: ['email'] }],
    })
  })

  it('puts the fields of base classes first', () => {
    expect(definitionOf(Employee).fields.map(({ name }) => name)).toEqual(['id', 'note', 'email', 'bossId'])
  })

  it('lets a subclass say a field anew, in its place, and leaves the base and its other subclasses alone', () => {
    expect(definitionOf(Badge).fields.map(({ name }) => name)).toEqual(['id', 'note', 'employeeId'])
    expect(definitionOf(Badge).fieldByName.get('note')!.type).toEqual({ kind: 'varchar', length: 10 })
    expect(definitionOf(Employee).fieldByName.get('note')!.type).toEqual({ kind: 'text' })
  })

  it('leaves an undecorated base class without a definition', () => {
    expect(() => definitionOf(Entity)).toThrow('model Entity: has no definition')
  })

  it('carries relations as data', () => {
    const common = { through: undefined, otherKey: [], references: [], constraint: false, onDelete: 'noAction', onUpdate: 'noAction' }
    const thunk = expect.any(Function)
    expect(definitionOf(Employee).relations).toEqual([
      { ...common, name: 'boss', kind: 'belongsTo', target: thunk, foreignKey: ['bossId'], constraint: true, onDelete: 'setNull' },
      { ...common, name: 'reports', kind: 'hasMany', target: thunk, foreignKey: ['bossId'] },
      { ...common, name: 'badge', kind: 'hasOne', target: thunk, foreignKey: ['employeeId'], references: ['id'] },
      { ...common, name: 'badges', kind: 'manyToMany', target: thunk, foreignKey: ['employeeId'], through: thunk, otherKey: ['id'] },
    ])
    expect(definitionOf(Employee).relations[2]!.target()).toBe(Badge)
  })

  it('refuses a subclass of a model without a decorator of its own', () => {
    class Manager extends Employee {}
    expect(() => definitionOf(Manager)).toThrow('model Manager: has no definition')
  })

  it('refuses a field called __proto__, which an object would lose', () => {
    class Trap {
      @id() id!: Generated<number>
    }
    field.text()(Trap.prototype, '__proto__' as never)
    expect(() => model()(Trap)).toThrow('field "__proto__"')
  })
})
