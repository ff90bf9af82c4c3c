import { type Draw, exponential } from './arrivals.ts'
import { closedModel, natural } from './model.ts'
import { closedSizes, isQuick, jobs, rules, service } from './scenarios.ts'
import type { Result } from './service.ts'
import { closedLoop } from './simulation.ts'

export interface ClosedCell {
  readonly think: string
  readonly clients: number
  /** Requests per second of the best fixed rule, chosen with hindsight. */
  readonly best: number
  /** Shares of that. */
  readonly natural: number
  readonly auto: number
}

const thinks: Readonly<Record<string, Draw>> = {
  'exponential, 1 ms': exponential(1),
  'exponential, 3 ms': exponential(3),
  ...(isQuick
    ? {}
    : {
        'exponential, 0.5 ms': exponential(0.5),
        'exponential, 1.5 ms': exponential(1.5),
        'exponential, 2 ms': exponential(2),
        'exponential, 10 ms': exponential(10),
        'exponential, 30 ms': exponential(30),
        '2 to 4 ms': (random) => 2 + 2 * random(),
      }),
  'fixed, 1 ms': () => 1,
  'fixed, 3 ms': () => 3,
}

export async function compareClosed(): Promise<readonly ClosedCell[]> {
  const cells: ClosedCell[] = []
  for (const [think, draw] of Object.entries(thinks)) {
    for (const clients of closedSizes) {
      const own = await closedLoop(clients, draw, jobs, service, { linger: 0 })
      const auto = await closedLoop(clients, draw, jobs, service, { linger: 'auto' })
      const possible = rules.filter(({ size }) => size <= clients)
      const all = [...possible, { size: clients, wait: 6 }].map((rule) =>
        closedModel(clients, draw, jobs, service, rule),
      )
      const best = Math.max(...all.map(({ perSecond }) => perSecond))
      assertClose(own, closedModel(clients, draw, jobs, service, natural))
      cells.push({
        think,
        clients,
        best,
        natural: own.perSecond / best,
        auto: auto.perSecond / best,
      })
    }
  }
  return cells
}

/** Who of those that are answered together draws first differs, so the two are close, not equal. */
function assertClose(real: Result, model: Result): void {
  if (Math.abs(real.perSecond / model.perSecond - 1) > 0.02) {
    throw new Error(`The model answers ${model.perSecond}/s, the batcher ${real.perSecond}/s`)
  }
}
