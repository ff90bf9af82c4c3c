import { clock } from '@heddle/context/engine'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import type { TopLevelSpec } from 'vega-lite'

import { CONFIG, SPEC, svgOf } from '../chart-look.ts'
import type { Options } from './simulation.ts'

/** Where one item was when: ms since the picture begins. */
interface Stay {
  readonly policy: string
  readonly item: number
  readonly doing: 'waits' | 'runs'
  readonly from: number
  readonly to: number
}

const POLICIES: Readonly<Record<string, Options>> = {
  'linger: 0 (natural)': { linger: 0 },
  'linger: 4': { linger: 4 },
  "linger: 'auto'": { linger: 'auto' },
}

/** ms at which items are submitted: a burst, and a lone one. */
const PATTERN = [0, 0.6, 1.2, 1.8, 14]
const PERIOD = 40
/** Until `'auto'` has learned. */
const PERIODS_BEFORE = 100
const RUN_TIME = 6

async function staysOf(policy: string, options: Options): Promise<readonly Stay[]> {
  using time = virtualClock()
  const stays: Stay[] = []
  const begin = time.now() + PERIODS_BEFORE * PERIOD
  const batcher = createBatcher<number, number>({
    name: 'drawn',
    ...options,
    async run(inputs, { items }) {
      const started = clock.now() - begin
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, RUN_TIME))
      for (const { input: item, queuedFor } of items) {
        const from = started - queuedFor
        stays.push({ policy, item, doing: 'waits', from, to: started })
        stays.push({ policy, item, doing: 'runs', from: started, to: started + RUN_TIME })
      }
      return inputs
    },
  })
  for (let period = 0; period <= PERIODS_BEFORE; period += 1) {
    for (const [item, at] of PATTERN.entries()) {
      await time.advance(begin + (period - PERIODS_BEFORE) * PERIOD + at - time.now())
      void batcher.submit(item + 1)
    }
  }
  await time.advance(PERIOD)
  return stays.filter(({ from }) => from >= 0)
}

/** What the items of a burst, and one that comes alone, wait for under each policy: an SVG. */
export async function timelineChart(): Promise<string> {
  const values: Stay[] = []
  for (const [policy, options] of Object.entries(POLICIES)) {
    values.push(...(await staysOf(policy, options)))
  }
  const spec: TopLevelSpec = {
    ...SPEC,
    padding: 16,
    data: { values },
    facet: {
      row: { field: 'policy', type: 'nominal', title: null, sort: Object.keys(POLICIES) },
    },
    spec: {
      width: 560,
      height: 90,
      mark: { type: 'bar', height: 10, cornerRadius: 2 },
      encoding: {
        y: { field: 'item', type: 'ordinal', title: 'item', axis: { ticks: false, domain: false } },
        x: { field: 'from', type: 'quantitative', title: 'ms', axis: { tickCount: 12 } },
        x2: { field: 'to' },
        color: {
          field: 'doing',
          type: 'nominal',
          title: null,
          scale: { domain: ['waits', 'runs'], range: ['#e8c9a0', '#5b8db8'] },
        },
      },
    },
    config: {
      ...CONFIG,
      header: {
        labelFontSize: 13,
        labelFontWeight: 'bold',
        labelAngle: 0,
        labelAlign: 'left',
        labelOrient: 'top',
        labelAnchor: 'start',
      },
      legend: { orient: 'bottom' },
    },
  }
  return svgOf(spec)
}
