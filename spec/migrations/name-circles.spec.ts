import 'reflect-metadata'
import type { FieldSpec } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { refuseNameCircles } from '../../migrations/name-circles.js'

function model(name: string, table: string, renamedFrom: string, fields: Readonly<Record<string, FieldSpec>> = {}) {
  return defineLooseModel(class {}, { name, table, renamedFrom, fields: { id: { kind: 'integer', primary: true }, ...fields } })
}

const former = (renamedFrom: string): FieldSpec => ({ kind: 'text', renamedFrom })

describe('refuseNameCircles', () => {
  it('refuses fields that are renamed from each other, and says the flags that exchange them once', () => {
    const circle = model('User', 'users', 'people', { a: former('b'), b: former('c'), c: former('a') })
    expect(() => refuseNameCircles([circle])).toThrow(
      /model User: renamedFrom: a, b, c change names in a circle.*--rename users\.b:a --rename users\.c:b --rename users\.a:c$/,
    )
  })

  it('refuses models that are', () => {
    const models = [model('One', 'one', 'other'), model('Other', 'other', 'one')]
    expect(() => refuseNameCircles(models)).toThrow(
      /one, other change names in a circle.*--rename-table other:one --rename-table one:other$/,
    )
  })

  it('lets names go on, and stay', () => {
    refuseNameCircles([model('One', 'one', 'two', { a: former('b'), b: former('c'), d: former('d') }), model('Two', 'two', 'three')])
  })
})
