import { type Arrivals, regular } from './arrivals.ts'
import { earlyBound, natural, openModel } from './model.ts'
import { optimum } from './optimum.ts'
import {
  jobs,
  lingers,
  loads,
  policies,
  rules,
  type Scenario,
  scenarios,
  seeds,
} from './scenarios.ts'
import { meanOf, rateAt, type Result } from './service.ts'
import { openLoop, type Options } from './simulation.ts'

/** What each policy makes of a load. */
export interface Cell {
  readonly load: number
  /** The bound: of all policies for Poisson arrivals, else of the fixed rules, chosen with hindsight. */
  readonly best: Result
  readonly results: Readonly<Record<string, Result>>
}

export interface Comparison {
  /** The name of a scenario. */
  readonly scenario: string
  readonly slots: number
  readonly cells: readonly Cell[]
}

export const AUTO = "`'auto'`"
export const EARLY = 'window of 2 ms from the first item, bound when it closes'
const BEST_LINGER = 'best fixed linger, with hindsight'

export async function compareAll(slots: number): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = []
  for (const scenario of scenarios) {
    const cells: Cell[] = []
    for (const load of loads) cells.push(await compare(scenario, load, slots))
    comparisons.push({ scenario: scenario.name, slots, cells })
  }
  return comparisons
}

async function compare(
  { arrivals, service }: Scenario,
  load: number,
  slots: number,
): Promise<Cell> {
  const rate = rateAt(load, service, slots)
  // One will do where no goal is about the tail.
  const own = slots === 1 ? seeds : seeds.slice(0, 1)
  const runs = own.map((seed) => arrivals(rate, jobs, seed))
  const run = async (options: Options): Promise<Result> => {
    const results: Result[] = []
    for (const times of runs) {
      results.push(await openLoop(times, service, { ...options, maxConcurrency: slots }))
    }
    return meanOf(results)
  }
  const results: Record<string, Result> = {}
  for (const [name, options] of Object.entries(policies)) results[name] = await run(options)
  if (slots === 1) {
    const lingered: Result[] = []
    for (const linger of lingers) lingered.push(await run({ linger }))
    results[BEST_LINGER] = fastest(lingered)
    results[EARLY] = meanOf(runs.map((times) => earlyBound(times, service, 2)))
  }
  const model = runs.map((times) => openModel(times, service, slots, natural))
  assertSame(results['natural'], meanOf(model), arrivals)
  return { load, best: bound(), results }

  function bound(): Result {
    if (arrivals === scenarios[0]?.arrivals && service.noise === 0 && slots === 1) {
      // On the same arrivals, so that their luck is in both.
      const { threshold } = optimum(rate, service)
      const rule = { size: threshold, wait: Infinity }
      return meanOf(runs.map((times) => openModel(times, service, slots, rule)))
    }
    return fastest(
      rules.map((rule) => meanOf(runs.map((times) => openModel(times, service, slots, rule)))),
    )
  }
}

function fastest(results: readonly Result[]): Result {
  return results.reduce((best, result) => (result.mean < best.mean ? result : best))
}

/**
 * The bounds come from a model, which must do what the real batcher does where both can. Only an arrival at the very
 * moment at which a batch ends, as regular ones have, may fall on either side.
 */
function assertSame(real: Result | undefined, model: Result, arrivals: Arrivals): void {
  const tolerance = arrivals === regular ? 0.03 : 1e-6
  if (real === undefined || Math.abs(real.mean / model.mean - 1) > tolerance) {
    throw new Error(`The model has a mean of ${model.mean} ms, the batcher of ${real?.mean} ms`)
  }
}

/** The worst of all loads, as a ratio to the bound. */
export function worst(
  { cells }: Comparison,
  policy: string,
  value: 'mean' | 'p99',
): number | undefined {
  const ratios = cells.flatMap(({ best, results }) => {
    const result = results[policy]
    return result === undefined ? [] : [result[value] / best[value]]
  })
  return ratios.length === 0 ? undefined : Math.max(...ratios)
}
