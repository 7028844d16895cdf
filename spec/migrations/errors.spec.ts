import { ModelError } from 'latchwork'
import { exitCodeOf } from 'latchwork/migrations'
import { expect, it } from 'vitest'

it('models that make no sense are a mistake of usage, in a program as on the command line', () => {
  expect(exitCodeOf(new ModelError('User', 'email', 'is none'))).toBe(2)
})
