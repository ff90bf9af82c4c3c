/** Small pictures of the tables, for docs/performance.md. */
import type { TopLevelSpec } from 'vega-lite'

import { CONFIG, OWN, SPEC, svgOf } from './chart-look.ts'
import type { Cell, Table } from './report.ts'

interface Chart {
  /** Which tables are shown, side by side. */
  readonly shows: (title: string) => boolean
  /** What is left of a title when it stands beside the others'. */
  readonly short?: RegExp
  /** Which rows of them. */
  readonly rows?: (row: readonly Cell[]) => boolean
  /** The columns of the label and of the number, or with a line for each label, of x and y. */
  readonly label: (row: readonly Cell[]) => string
  readonly x?: number
  readonly value: number
  readonly axis: string
}

const CHARTS: Readonly<Record<string, Chart>> = {
  items: {
    shows: (title) => title.includes('store of its own, bursts of 32'),
    short: /[^,]+$/,
    label: ([name]) => `${name}`,
    value: 2,
    axis: 'CPU time per item, × DataLoader',
  },
  http: {
    shows: (title) => title.includes('/json'),
    short: /[^,]+$/,
    label: ([name]) => `${name}`,
    value: 2,
    axis: 'CPU time per request, × a bare route',
  },
  litserve: {
    shows: (title) => title === 'LitServe: sleep' || title === 'LitServe: matmul',
    rows: ([, , connections]) => connections === 64,
    label: ([service, size]) => `${service}, max ${size}`,
    value: 5,
    axis: 'requests/s at 64 connections',
  },
  database: {
    shows: () => true,
    rows: ([atOnce]) => atOnce === 32,
    label: ([, name]) => `${name}`,
    value: 4,
    axis: 'requests/s, 32 at once',
  },
  scale: {
    shows: () => true,
    short: /[^,]+$/,
    label: ([what]) => `${what}`,
    x: 1,
    value: 2,
    axis: 'CPU time per item, ns',
  },
}

/** An SVG, if there is a chart for this bench. */
export async function chartOf(name: string, tables: readonly Table[]): Promise<string | undefined> {
  const chart = CHARTS[name]
  if (chart === undefined) return undefined
  const values = tables
    .filter(({ title }) => chart.shows(title))
    .flatMap(({ title, rows }) =>
      rows
        .filter((row) => chart.rows?.(row) ?? true)
        .map((row) => ({
          title: chart.short?.exec(title)?.[0] ?? title,
          label: chart.label(row),
          x: row[chart.x ?? 0],
          value: row[chart.value],
        })),
    )
  return svgOf(chart.x === undefined ? bars(chart, values) : lines(chart, values))
}

type Values = readonly object[]

const LOOK = {
  ...SPEC,
  padding: 12,
  columns: 2,
  config: {
    ...CONFIG,
    header: { labelFontSize: 12, labelFontWeight: 'bold' },
    legend: { orient: 'bottom', columns: 2, labelLimit: 400 },
  },
} as const
const FACET = { field: 'title', type: 'nominal', title: null, sort: null } as const

function bars({ axis }: Chart, values: Values): TopLevelSpec {
  return {
    ...LOOK,
    data: { values: [...values] },
    facet: FACET,
    // Each has its own rows, and its own unit.
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 260,
      encoding: {
        y: {
          field: 'label',
          type: 'nominal',
          title: null,
          sort: null,
          axis: { labelLimit: 280 },
        },
        x: { field: 'value', type: 'quantitative', title: axis },
      },
      layer: [
        {
          mark: { type: 'bar', height: { band: 0.7 } },
          encoding: {
            color: {
              condition: { test: "indexof(lower(datum.label), 'heddle') === 0", value: OWN },
              value: '#b9c3cf',
            },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 },
          encoding: { text: { field: 'value', type: 'quantitative', format: '.3~r' } },
        },
      ],
    },
  }
}

function lines({ axis }: Chart, values: Values): TopLevelSpec {
  return {
    ...LOOK,
    data: { values: [...values] },
    facet: FACET,
    spec: {
      width: 300,
      height: 220,
      mark: { type: 'line', point: { size: 24 } },
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: 'how many',
          scale: { type: 'log' },
          axis: { format: '~s' },
        },
        y: { field: 'value', type: 'quantitative', title: axis },
        color: { field: 'label', type: 'nominal', title: null, sort: null },
      },
    },
  }
}
