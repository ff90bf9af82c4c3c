import { type Arrivals, bursts, lognormal, onAndOff, poisson, regular } from './arrivals.ts'
import type { FixedRule } from './model.ts'
import type { Service } from './service.ts'
import type { Options } from './simulation.ts'

/** `--quick` shows that all works and that the goals hold, on fewer jobs, loads and arrivals. */
export const isQuick: boolean = process.argv.includes('--quick')

export const loads: readonly number[] = isQuick
  ? [0.05, 0.3, 0.75]
  : [0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9]

export const jobs: number = isQuick ? 6_000 : 10_000

export const seeds: readonly number[] = isQuick ? [1] : [1, 2]

export const service: Service = { fixed: 5, perItem: 0.2, noise: 0 }
const steep: Service = { fixed: 20, perItem: 0.05, noise: 0 }

/** Requests that do not wait for answers, and what runs them. */
export interface Scenario {
  readonly name: string
  readonly arrivals: Arrivals
  readonly service: Service
}

const all: readonly Scenario[] = [
  { name: 'Poisson', arrivals: poisson, service },
  { name: 'bursts of 8, 20 µs apart', arrivals: bursts(8, 0.02), service },
  { name: 'bursts of 4, 0.3 ms apart', arrivals: bursts(4, 0.3), service },
  { name: 'bursts of 20, 50 µs apart', arrivals: bursts(20, 0.05), service },
  { name: 'S = 20 + 0.05·n, bursts of 8', arrivals: bursts(8, 0.02), service: steep },
  { name: 'on and off', arrivals: onAndOff, service },
  { name: 'lognormal gaps', arrivals: lognormal, service },
  { name: 'regular', arrivals: regular, service },
  { name: 'Poisson, ± 30 %', arrivals: poisson, service: { ...service, noise: 0.3 } },
  {
    name: 'bursts of 8, ± 30 %',
    arrivals: bursts(8, 0.02),
    service: { ...service, noise: 0.3 },
  },
]

export const scenarios: readonly Scenario[] = isQuick ? all.slice(0, 3) : all

/** Fixed lingers among which the best is chosen with hindsight, ms. */
export const lingers: readonly number[] = isQuick ? [0.5, 2] : [0.25, 0.5, 1, 2, 4, 8]

/** The policies that are the same whatever comes. */
export const policies: Readonly<Record<string, Options>> = {
  natural: { linger: 0 },
  'age window 2 ms (Triton)': { linger: 2, maxWait: 2 },
  'age window 10 ms': { linger: 10, maxWait: 10 },
  'pull window 2 ms (LitServe, Mosec)': { linger: 2 },
  "`'auto'`": { linger: 'auto' },
}

const SIZES = [2, 3, 4, 6, 8, 12, 16, 24, 32]
const WAITS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16]

/** Fixed rules among which the bound is chosen with hindsight. */
export const rules: readonly FixedRule[] = [
  { size: 1, wait: 0 },
  ...SIZES.flatMap((size) => WAITS.map((wait) => ({ size, wait }))),
]

export const closedSizes: readonly number[] = isQuick ? [1, 2, 16] : [1, 2, 3, 4, 8, 16, 24, 32, 48]
