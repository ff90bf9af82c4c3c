import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { fromOtlp, type OtlpTraces, type Span } from './spans.ts'

/** Takes spans by OTLP as JSON over HTTP, keeps them, and sends them on. */
export class Collector {
  /** All that have come. */
  readonly spans: Span[] = []
  readonly #server: Server

  /** @param next - an OTLP endpoint that gets everything, too */
  static async start(next?: string): Promise<Collector> {
    const server = createServer()
    const collector = new Collector(server, next)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  private constructor(server: Server, next: string | undefined) {
    this.#server = server
    server.on('request', (request, response) => void this.#take(request, response, next))
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    next: string | undefined,
  ): Promise<void> {
    const body = await text(request)
    this.spans.push(...fromOtlp(JSON.parse(body) as OtlpTraces))
    response.statusCode = next === undefined ? 200 : await sendOn(next, body)
    response.setHeader('Content-Type', 'application/json').end('{}')
  }

  /** What a process needs to send its spans here. */
  get env(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    }
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

/** @returns the status of the answer, which tells the sender whether to try again */
async function sendOn(endpoint: string, body: string): Promise<number> {
  try {
    const headers = { 'Content-Type': 'application/json' }
    const url = new URL('v1/traces', `${endpoint.replace(/\/$/, '')}/`)
    const { status } = await fetch(url, { method: 'POST', body, headers })
    return status
  } catch (error) {
    console.error(`Spans could not be sent to ${endpoint}: ${String(error)}`)
    return 400
  }
}
