/** One server process: `node server.ts before|after|dataloader [--port 3000]`. */
import { parseArgs } from 'node:util'

import type { Hono } from 'hono'

import { readWhole } from './arguments.ts'
import { loadData } from './data.ts'
import { openDatabase, type Database } from './database.ts'
import { INSPECTOR, withInspector } from './inspect.ts'
import { assertPortFree, listen } from './listen.ts'
import type { ServerMessage, Usage } from './messages.ts'
import { endWithParent, tellParent } from './parent.ts'

const APPS = {
  before: () => import('./before.ts'),
  after: () => import('./after.ts'),
  dataloader: () => import('./with-dataloader.ts'),
} satisfies Record<string, () => Promise<{ createApp(database: Database): Hono<any> }>>

async function main(): Promise<void> {
  const { name, port } = readArguments()
  endWithParent()
  if (port !== 0) await assertPortFree(port)
  // Before the app, so that everything it makes is seen; without an endpoint no SDK is even loaded.
  const telemetry = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ? await import('./telemetry.ts') : null
  const tracing = telemetry?.startTelemetry()

  const opened = await openDatabase()
  const cities = await loadData(opened)
  const database = telemetry ? telemetry.traceQueries(opened) : opened
  const { createApp } = await APPS[name]()
  const app = createApp(database)
  const closing = new AbortController()
  const shown = name === 'after' ? withInspector(app, closing.signal) : app
  const server = await listen(shown.fetch, port)

  // Every handler awaits what it submits: once all are answered, nothing is left in a batcher.
  stopOnSignal(async () => {
    closing.abort()
    await server.close()
    await database.close()
    await tracing?.stop()
  })
  if (process.send) return answerParent(server.url, database)
  console.log(`${name} listens on ${server.url} with ${cities.toLocaleString('en')} cities. Try:`)
  console.log(`curl -H 'x-tenant: acme' '${server.url}/cities/nearest?lat=48.85&lon=2.35'`)
  if (shown === app) return
  const how = process.env.NODE_ENV === 'development' ? '' : ', if NODE_ENV is `development`'
  console.log(`See its batches: ${server.url}${INSPECTOR}${how}`)
}

function readArguments(): { name: keyof typeof APPS; port: number } {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '0' } },
  })
  const [name = 'none'] = positionals
  if (positionals.length === 1 && isApp(name))
    return { name, port: readWhole('port', values.port, 0, 65_535) }
  throw new Error(
    `Expected one app of ${Object.keys(APPS).join(', ')}, got ${positionals.join(' ') || name}`,
  )
}

function isApp(name: string): name is keyof typeof APPS {
  return Object.hasOwn(APPS, name)
}

/** Says where it listens, and how much it has used as often as it is asked. */
function answerParent(url: string, database: Database): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    const usage: Usage = { cpu: user + system, queries: database.queries }
    say({ usage })
  })
  say({ url })
}

function say(message: ServerMessage): void {
  tellParent(message)
}

/** Ctrl-C or `kill`. Each counts once, so that a second Ctrl-C does not wait. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping: Promise<void> | undefined
  const onSignal = (): void => {
    stopping ??= stop().then(() => process.exit(0), fail)
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

main().catch(fail)
