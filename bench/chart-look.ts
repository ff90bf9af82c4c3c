import { logger, parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

/** What all charts have in common. */
export const SPEC = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
} as const

export const CONFIG = {
  font: 'system-ui, sans-serif',
  axis: { gridColor: '#eeeeee', titleFontWeight: 'normal' },
  view: { stroke: null },
} as const

/** In a chart, this library's own. */
export const OWN = '#c2410c'

export function svgOf(chart: TopLevelSpec): Promise<string> {
  // It warns that parts with scales of their own may differ in size: they are meant to.
  const { spec } = compile(chart, { logger: logger(0) })
  return new View(parse(spec), { renderer: 'none' }).toSVG()
}
