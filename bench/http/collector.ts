import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Takes what is sent by OTLP, and forgets it. */
export class Collector {
  #server: Server
  /** Bytes. */
  received = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Collector> {
    const server = createServer()
    const collector = new Collector(server)
    server.on('request', (request, response) => {
      request.on('data', (chunk: Uint8Array) => void (collector.received += chunk.byteLength))
      request.on('end', () => response.setHeader('content-type', 'application/x-protobuf').end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
