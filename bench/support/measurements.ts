import { field, type Generated, id, model } from 'latchwork'

/** The table of the bulk benchmarks: five columns to write, and the key that the database counts. */
@model({ table: 'measurements' })
export class Measurement {
  @id() id!: Generated<number>
  @field.integer() sensor!: number
  @field.text({ maxLength: 40 }) label!: string
  @field.float() reading!: number
  @field.boolean() valid!: boolean
  @field.timestamp() takenAt!: Date
}

/** What a measurement is made with. */
export type NewMeasurement = Pick<Measurement, 'sensor' | 'label' | 'reading' | 'valid' | 'takenAt'>

const FIRST_TAKEN_MS = Date.UTC(2024, 0, 1)

/** The measurement that has this number, the same in every run. */
export function measurementOf(number: number): NewMeasurement {
  return {
    sensor: number % 1_000,
    label: `sensor ${number % 1_000}`,
    reading: (number % 10_007) / 7,
    valid: number % 10 !== 0,
    takenAt: new Date(FIRST_TAKEN_MS + number * 1_000),
  }
}
