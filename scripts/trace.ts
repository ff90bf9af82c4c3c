/**
 * `pnpm trace`: runs the cities example, sends it 64 requests at once, and shows where the time of one of
 * them went. The spans go on to a Jaeger: the one that `OTEL_EXPORTER_OTLP_ENDPOINT` names, or one that
 * `pnpm test:jaeger` has built. Without either they are shown all the same.
 *
 * Options: `--requests 64`, `--once` to end at once although a Jaeger of its own is there to be looked at.
 */
import { once } from 'node:events'
import { parseArgs, styleText } from 'node:util'

import { findJaeger } from '../test/e2e/jaeger/build.ts'
import { Jaeger } from '../test/e2e/jaeger/jaeger.ts'
import { Cities } from '../test/e2e/support/cities.ts'
import { Collector } from '../test/e2e/support/collector.ts'
import { assertTraces, type RequestSpans } from '../test/e2e/support/rules.ts'
import { waterfall } from './trace/waterfall.ts'

/** Where Jaeger has its pages unless somebody has moved them. */
const USUAL_PORT = 16_686

const { requests, isOnce } = readArguments()
const given = process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
const program = given === undefined ? findJaeger() : undefined
const jaeger = program === undefined ? undefined : await Jaeger.start(program)
try {
  const shown = await traceRequests(given ?? jaeger?.otlp)
  console.log(linksTo(shown))
  if (jaeger && process.stdout.isTTY && !isOnce) {
    console.log('Ctrl-C ends Jaeger.')
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  }
} finally {
  await jaeger?.stop()
}

async function traceRequests(endpoint: string | undefined): Promise<RequestSpans> {
  const collector = await Collector.start(endpoint)
  try {
    const cities = await Cities.start('node', collector.env)
    // The first ones are slow: code is compiled, the database reads its pages.
    const warmUp = await cities.request(requests, 'warm-up')
    const requestIds = await cities.request(requests, 'request')
    await cities.stop()
    const all = assertTraces(collector.spans, [...warmUp, ...requestIds])
    const measured = all.slice(warmUp.length)
    const batches = new Set(measured.map(({ batch }) => batch.spanId)).size
    const shown = middleOf(measured)
    const query = collector.spans.find(({ parent }) => parent?.spanId === shown.batch.spanId)
    console.log(
      `${requests} requests at once, ${batches} batches. The one in the middle by its time:\n`,
    )
    console.log(`${waterfall(shown, query, { colours: hasColours() })}\n`)
    return shown
  } finally {
    await collector.stop()
  }
}

function durationOf({ server }: RequestSpans): number {
  return server.end - server.start
}

/** Of all requests, sorted by how long they took. */
function middleOf(all: readonly RequestSpans[]): RequestSpans {
  const sorted = all.toSorted((a, b) => durationOf(a) - durationOf(b))
  return sorted[sorted.length >> 1]!
}

function linksTo({ server, batch }: RequestSpans): string {
  const traces = { 'the request': server.traceId, 'its batch': batch.traceId }
  const lines = (urlOf: (traceId: string) => string): string =>
    Object.entries(traces)
      .map(([what, traceId]) => `  ${what.padEnd(12)} ${urlOf(traceId)}`)
      .join('\n')
  if (jaeger) {
    const text = lines((traceId) => `${jaeger.query}/api/traces/${traceId}?prettyPrint=true`)
    return `In Jaeger, of which this build has no pages, but all data:\n${text}`
  }
  if (given === undefined) {
    return (
      'There is no Jaeger here. To see the same in one, either\n' +
      '  npx -y pnpm@12 test:jaeger    builds one, with Go, once; or\n' +
      '  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npx -y pnpm@12 trace    sends to yours'
    )
  }
  const { hostname } = new URL(given)
  return `In Jaeger:\n${lines((traceId) => `http://${hostname}:${USUAL_PORT}/trace/${traceId}`)}`
}

/** As `styleText` decides it for this terminal: `NO_COLOR` and `FORCE_COLOR` count. */
function hasColours(): boolean {
  return styleText('red', 'x', { stream: process.stdout }) !== 'x'
}

function readArguments(): { readonly requests: number; readonly isOnce: boolean } {
  const args = process.argv.slice(2).filter((arg) => arg !== '--')
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '64' },
      once: { type: 'boolean', default: false },
    },
  })
  const count = Number(values.requests)
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw new RangeError(
      `Expected --requests to be a whole number from 1 to 1000, got ${values.requests}`,
    )
  }
  return { requests: count, isOnce: values.once }
}
