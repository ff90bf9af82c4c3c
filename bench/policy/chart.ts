import type { TopLevelSpec } from 'vega-lite'

import { CONFIG, OWN, SPEC, svgOf } from '../chart-look.ts'
import { AUTO, type Comparison } from './open-loop.ts'

const SHOWN: Readonly<Record<string, string>> = {
  'age window 10 ms': 'window of 10 ms',
  'pull window 2 ms (LitServe, Mosec)': 'window of 2 ms',
  natural: 'natural (linger: 0)',
  [AUTO]: "linger: 'auto'",
}
const BOUND = 'bound'

/** Mean latency over load, a line for each policy: an SVG. */
export function latencyChart(comparisons: readonly Comparison[]): Promise<string> {
  const values = comparisons.flatMap(({ scenario, cells }) =>
    cells.flatMap(({ load, best, results }) => [
      ...Object.entries(SHOWN).map(([policy, label]) => ({
        scenario,
        load,
        policy: label,
        mean: results[policy]?.mean,
      })),
      { scenario, load, policy: BOUND, mean: best.mean },
    ]),
  )
  const policies = [...Object.values(SHOWN), BOUND]
  const spec: TopLevelSpec = {
    ...SPEC,
    padding: 16,
    data: { values },
    columns: 2,
    facet: { field: 'scenario', type: 'nominal', title: null, sort: null },
    spec: {
      width: 300,
      height: 220,
      mark: { type: 'line', point: { size: 24 } },
      encoding: {
        x: {
          field: 'load',
          type: 'quantitative',
          title: 'load of the slot',
          axis: { format: '%' },
        },
        y: {
          field: 'mean',
          type: 'quantitative',
          title: 'mean latency, ms',
          scale: { type: 'log', nice: true },
        },
        color: {
          field: 'policy',
          type: 'nominal',
          title: null,
          sort: policies,
          scale: {
            domain: policies,
            range: ['#b8a9c9', '#e0a458', '#5b8db8', OWN, '#333333'],
          },
        },
        strokeDash: {
          condition: { test: `datum.policy === '${BOUND}'`, value: [4, 3] },
          value: [1, 0],
        },
      },
    },
    config: {
      ...CONFIG,
      header: { labelFontSize: 13, labelFontWeight: 'bold' },
      legend: { orient: 'bottom' },
    },
  }
  return svgOf(spec)
}
