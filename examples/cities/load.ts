/**
 * The load, in a process of its own: `node load.ts <url> [--connections 64] [--seconds 4]` prints one
 * result as JSON; started by the demo, it runs what it is told to.
 */
import { parseArgs } from 'node:util'

import autocannon from 'autocannon'

import { readNumber, readWhole } from './arguments.ts'
import type { LoadMessage, LoadOptions, LoadResult } from './messages.ts'
import { endWithParent, tellParent } from './parent.ts'
import { mismatchOf, Traffic, type Expectation } from './traffic.ts'

const EXAMPLES = 3

/** Answers that are counted, with the first few that were not as they should be. */
class Tally {
  errors = 0
  mismatches = 0
  readonly examples: string[] = []

  count(expected: Expectation, status: number, body: string): void {
    if (status !== 200) {
      this.errors += 1
      this.#keep(`${expected.path} was answered with ${status}: ${body}`)
      return
    }
    const mismatch = mismatchOf(expected, body)
    if (mismatch === undefined) return
    this.mismatches += 1
    this.#keep(mismatch)
  }

  #keep(example: string): void {
    if (this.examples.length < EXAMPLES) this.examples.push(example)
  }
}

async function run(
  { url, connections, seconds, seed }: LoadOptions,
  onProgress: (requests: number) => void,
): Promise<LoadResult> {
  const traffic = new Traffic(seed)
  const tally = new Tally()
  // autocannon's own quantiles are whole milliseconds.
  const latencies: number[] = []
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    // How often it looks whether the time is over, in ms.
    sampleInt: 100,
    requests: [
      {
        // autocannon makes a new context for each request, and without pipelining a connection's next
        // request is set up only after the answer to this one: so the two belong together.
        setupRequest(request, context) {
          const expected = traffic.next()
          Object.assign(context, expected)
          request.path = expected.path
          request.headers = { 'x-tenant': expected.tenant, 'x-request-id': expected.requestId }
          return request
        },
        onResponse: (status, body, context) => tally.count(context as Expectation, status, body),
      },
    ],
  }
  const { duration, errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const done = (error: unknown, result: autocannon.Result): void =>
      error ? reject(error) : resolve(result)
    const instance = autocannon(options, done)
    instance.on('response', (_client, _status, _bytes, latency) => latencies.push(latency))
    instance.on('tick', () => onProgress(latencies.length))
  })

  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    requestsPerSecond: latencies.length / duration,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    errors: errors + tally.errors,
    mismatches: tally.mismatches,
    examples: tally.examples,
  }
}

/** NaN when there is nothing. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}

function say(message: LoadMessage): void {
  tellParent(message)
}

async function main(): Promise<void> {
  if (process.send) {
    endWithParent()
    process.on('message', (options: LoadOptions) => {
      run(options, (progress) => say({ progress })).then((result) => say({ result }), fail)
    })
    return
  }
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '4' },
    },
  })
  const [url] = positionals
  if (url === undefined) throw new Error('Expected the url of a server')
  const connections = readWhole('connections', values.connections, 1, 1000)
  const seconds = readNumber('seconds', values.seconds, 1, 600)
  console.log(JSON.stringify(await run({ url, connections, seconds, seed: 1 }, () => {}), null, 2))
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

main().catch(fail)
