/** The clients of `leavers.ts`, in a process of their own: it is told where and how many, and tells how they ended. */
import { Agent, type IncomingMessage, request } from 'node:http'

import { randomFrom } from '../support/random.ts'

export interface Order {
  readonly url: string
  readonly count: number
  readonly concurrency: number
  /** Of the clients, the share that leaves. */
  readonly leaving: number
}

export type Endings = Readonly<Record<string, number>>

const PATHS = ['/json', '/batched', '/batched', '/stream', '/sse', '/late', '/throws']
/** ms within which one leaves: some before the server has read anything, some after the last byte. */
const PATIENCE = 12

const random = randomFrom(20_261_126)
const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

process.on('message', (order: Order) => void serve(order))
process.once('disconnect', () => process.exit())

async function serve({ url, count, concurrency, leaving }: Order): Promise<void> {
  const endings: Record<string, number> = {}
  let sent = 0
  const client = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      const path = PATHS[Math.floor(random() * PATHS.length)] ?? ''
      const ending = await visit(url + path, random() < leaving ? random() * PATIENCE : undefined)
      endings[ending] = (endings[ending] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  process.send?.(endings)
}

/** @param patience - ms after which the client leaves */
function visit(url: string, patience: number | undefined): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(url, { agent })
    const timer =
      patience === undefined ? undefined : setTimeout(() => sent.destroy(), Math.floor(patience))
    let answer: IncomingMessage | undefined
    sent.once('response', (response) => {
      answer = response
      response.once('error', () => {}).resume()
    })
    sent.once('error', () => {})
    sent.once('close', () => {
      clearTimeout(timer)
      resolve(answer?.complete ? String(answer.statusCode) : 'left')
    })
    sent.end()
  })
}
