import { belongsTo, field, type Generated, hasMany, id, type Many, model, type One } from 'latchwork'

@model()
export class Country {
  @id.text({ maxLength: 2 }) code!: string
  @field.text({ maxLength: 80 }) name!: string
  @field.text({ maxLength: 2 }) continent!: string
  @field.text({ maxLength: 80, nullable: true }) capital!: string | null
  @hasMany(() => Region, 'countryCode') regions!: Many<Region>
}

/** A first-level division, such as `IS.39`. */
@model()
export class Region {
  @id.text({ maxLength: 20 }) code!: string
  @field.text({ maxLength: 100 }) name!: string
  @field.text({ maxLength: 2 }) countryCode!: string
  @belongsTo(() => Country, 'countryCode') country!: One<Country>
}

/** A second-level division, such as `IS.39.0`. */
@model()
export class District {
  @id.text({ maxLength: 40 }) code!: string
  @field.text({ maxLength: 100 }) name!: string
  @field.text({ maxLength: 20 }) regionCode!: string
  @belongsTo(() => Region, 'regionCode') region!: One<Region>
}

@model({ uniques: [{ on: ['countryCode', 'name', 'latitude', 'longitude'] }] })
export class City {
  @id() id!: Generated<number>
  @field.text({ maxLength: 2 }) countryCode!: string
  @field.text({ maxLength: 200 }) name!: string
  // degrees with the five digits of the source: exact, and in the order of numbers
  @field.decimal({ precision: 7, scale: 5, check: { $between: ['-90', '90'] } }) latitude!: string
  @field.decimal({ precision: 8, scale: 5, check: { $between: ['-180', '180'] } }) longitude!: string
  @field.text({ maxLength: 20, nullable: true }) regionCode!: string | null
  @field.text({ maxLength: 40, nullable: true }) districtCode!: string | null
  @belongsTo(() => Country, 'countryCode') country!: One<Country>
  @belongsTo(() => Region, 'regionCode') region!: One<Region> | null
  @belongsTo(() => District, 'districtCode') district!: One<District> | null
}
