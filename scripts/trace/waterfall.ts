import { styleText } from 'node:util'

import type { RequestSpans } from '../../test/e2e/support/rules.ts'
import type { Span } from '../../test/e2e/support/spans.ts'

/** Characters of a whole bar, and of what stands before it. */
const WIDTH = 48
const LABEL = 26

export interface WaterfallOptions {
  /** Whether the terminal has colours. */
  readonly colours?: boolean
}

type Colour = Parameters<typeof styleText>[0]

/**
 * Where one request's time went, as lines of text: a bar for each span, all on the scale of the request.
 *
 * @param query - what the batch function did
 */
export function waterfall(
  { server, wait, execute, batch }: RequestSpans,
  query: Span | undefined,
  { colours = false }: WaterfallOptions = {},
): string {
  const paint = (colour: Colour, text: string): string =>
    colours ? styleText(colour, text, { validateStream: false }) : text
  const ends = [server, batch, execute].map(({ end }) => end)
  const scale = { start: server.start, end: Math.max(...ends) }
  const line = (label: string, span: Span, colour: Colour, mark: string): string =>
    `${label.padEnd(LABEL)} ${durationOf(span).padStart(9)}  ${paint(colour, barOf(span, scale, mark))}`.trimEnd()
  const { 'heddle.batch.size': size, 'heddle.batch.reason': reason } = batch.attributes
  return [
    line(server.name, server, 'bold', '─'),
    line(`├ ${wait.name}`, wait, 'yellow', '░'),
    line(`└ ${execute.name}`, execute, 'green', '█'),
    paint(
      'dim',
      `its batch, with ${others(Number(size) - 1)}; it started because: ${String(reason)}`,
    ),
    line(batch.name, batch, 'cyan', '█'),
    ...(query ? [line(`└ ${query.name}`, query, 'cyan', '▒')] : []),
  ].join('\n')
}

function others(count: number): string {
  if (count === 0) return 'nobody else'
  return count === 1 ? '1 other request' : `${count} other requests`
}

function durationOf({ start, end }: Span): string {
  return `${((end - start) / 1000).toFixed(2)} ms`
}

/** At least one mark: the shortest span is there. */
function barOf(
  span: Span,
  scale: { readonly start: number; readonly end: number },
  mark: string,
): string {
  const columnOf = (time: number): number => {
    const share = (time - scale.start) / Math.max(1, scale.end - scale.start)
    return Math.min(WIDTH, Math.max(0, Math.round(share * WIDTH)))
  }
  const from = Math.min(columnOf(span.start), WIDTH - 1)
  const to = Math.max(columnOf(span.end), from + 1)
  return ' '.repeat(from) + mark.repeat(to - from)
}
