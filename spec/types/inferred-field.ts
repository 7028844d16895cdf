// Legacy decorators with emitDecoratorMetadata: the one mode in which `@field()` can know a kind.
import type { Generated } from 'kysely'
import { field } from '../../decorators/index.js'

export class Inferred {
  @field() text!: string
  @field({ unique: true }) flag!: boolean
  @field({ column: 'at' }) instant!: Date
  @field() long!: bigint
  @field() blob!: Uint8Array

  // @ts-expect-error integer or float?
  @field() a!: number
  // @ts-expect-error the compiler writes down Object
  @field() b!: string | null
  // @ts-expect-error the compiler writes down Object
  @field({ default: 'x' }) c!: Generated<string>
  // @ts-expect-error null the compiler does not write down
  @field({ nullable: true }) d!: string
}
