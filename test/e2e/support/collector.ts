import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { fromOtlp, type OtlpTraces, type Span } from './spans.ts'

/** Takes spans by OTLP as JSON over HTTP, and keeps them. */
export class Collector {
  /** All that have come. */
  readonly spans: Span[] = []
  readonly #server: Server

  static async start(): Promise<Collector> {
    const server = createServer()
    const collector = new Collector(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        this.spans.push(...fromOtlp(JSON.parse(body) as OtlpTraces))
        response.setHeader('Content-Type', 'application/json').end('{}')
      })
    })
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
