import { field, type Generated, id, model } from 'latchwork'

/** One import, from its start to its end. */
@model()
export class ImportRun {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20, default: 'running' }) state!: Generated<string>
  @field.integer({ default: 0 }) rows!: Generated<number>
}

@model()
export class Price {
  @id.text({ maxLength: 40 }) product!: string
  @field.integer() importId!: number
  @field.integer() cents!: number
}
