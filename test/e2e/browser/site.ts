import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

import { createApp } from '../../../examples/cities/after.ts'
import { loadData } from '../../../examples/cities/data.ts'
import { openDatabase } from '../../../examples/cities/database.ts'
import { INSPECTOR, withInspector } from '../../../examples/cities/inspect.ts'
import { Traffic } from '../../../examples/cities/traffic.ts'
import { sleep } from '../../support/crank.ts'
import { listen } from '../../support/server.ts'

/** Requests at a time, and ms from an answer to the next one: the browser needs the processor, too. */
const CONNECTIONS = 48
const PAUSE = 20

/** The cities example under load, with its inspector, and with its spans kept in memory. */
export interface Site extends AsyncDisposable {
  readonly inspector: string
  /** The ended spans of a trace. */
  spansOf(traceId: string): readonly ReadableSpan[]
}

export async function openSite(): Promise<Site> {
  const exporter = new InMemorySpanExporter()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  )
  const database = await openDatabase()
  await loadData(database)
  const closing = new AbortController()
  // Else the inspector is closed.
  process.env.NODE_ENV = 'development'
  const server = await listen(withInspector(createApp(database), closing.signal))
  const load = startLoad(server.url)
  return {
    inspector: server.url + INSPECTOR,
    spansOf: (traceId) =>
      exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId),
    async [Symbol.asyncDispose]() {
      await load.stop()
      closing.abort()
      await server[Symbol.asyncDispose]()
      await database.close()
      trace.disable()
      context.disable()
    },
  }
}

function startLoad(url: string): { stop(): Promise<void> } {
  const traffic = new Traffic(7)
  const ending = new AbortController()
  const connection = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const { path, tenant, requestId } = traffic.next()
      const headers = { 'x-tenant': tenant, 'x-request-id': requestId }
      await (await fetch(url + path, { headers })).text()
      await sleep(PAUSE)
    }
  }
  const connections = Array.from({ length: CONNECTIONS }, connection)
  return {
    async stop() {
      ending.abort()
      await Promise.all(connections)
    },
  }
}
