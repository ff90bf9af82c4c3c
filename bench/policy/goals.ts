import type { ClosedCell } from './closed-loop.ts'
import { AUTO, type Comparison, worst } from './open-loop.ts'
import type { Neighbour, Overload } from './overload.ts'

/** What must hold in virtual time, where nothing depends on the machine. */
export interface Goal {
  readonly what: string
  readonly value: number
  readonly limit: number
  readonly holds: boolean
  /** Whether it is worse than it is known to be: a goal that has never been reached must not drift away. */
  readonly isWorse: boolean
}

function atMost(what: string, value: number, limit: number): Goal {
  return { what, value, limit, holds: value <= limit, isWorse: value > limit }
}

/** @param known - what is reached today, if less than the limit */
function atLeast(what: string, value: number, limit: number, known: number = limit): Goal {
  return { what, value, limit, holds: value >= limit, isWorse: value < known }
}

/** Random think times about as long as waiting is worth: the one place where `'auto'` misses its goal. */
const CLOSED_LOOP_KNOWN = 0.94

export interface Measured {
  readonly oneSlot: readonly Comparison[]
  readonly severalSlots: readonly Comparison[]
  readonly closed: readonly ClosedCell[]
  readonly overloads: readonly Overload[]
  readonly neighbour: Neighbour
}

export function goalsOf(measured: Measured): readonly Goal[] {
  const { oneSlot, severalSlots, closed, overloads, neighbour } = measured
  const [random, others] = [oneSlot.filter(isPoisson), oneSlot.filter((one) => !isPoisson(one))]
  const lone = closed.filter(({ clients }) => clients === 1)
  const several = closed.filter(({ clients }) => clients > 1)
  return [
    atMost('Poisson, mean / optimum', worstOf(random, 'mean'), 1.02),
    atMost('Poisson, p99 / that of the optimum', worstOf(random, 'p99'), 1.1),
    atMost('other arrivals, mean / best fixed rule', worstOf(others, 'mean'), 1.05),
    atMost('other arrivals, p99 / best fixed rule', worstOf(others, 'p99'), 1.1),
    atMost('2 and 4 slots, mean / best fixed rule', worstOf(severalSlots, 'mean'), 1.15),
    atLeast(
      'closed loop, throughput / best fixed rule',
      Math.min(...several.map(({ auto }) => auto)),
      0.95,
      CLOSED_LOOP_KNOWN,
    ),
    atLeast(
      'one client, throughput / natural',
      Math.min(...lone.map(({ auto, natural }) => auto / natural)),
      0.99,
    ),
    atLeast('2 × overload, goodput / capacity', Math.min(...overloads.map((o) => o.goodput)), 0.95),
    atMost('2 × overload, run for gone callers', Math.max(...overloads.map((o) => o.wasted)), 0),
    atMost('neighbour with 100 ×, p99 / batch', neighbour.p99 / neighbour.cycle, 2),
  ]
}

function isPoisson({ scenario }: Comparison): boolean {
  return scenario === 'Poisson'
}

function worstOf(comparisons: readonly Comparison[], value: 'mean' | 'p99'): number {
  return Math.max(...comparisons.map((comparison) => worst(comparison, AUTO, value) ?? Infinity))
}
