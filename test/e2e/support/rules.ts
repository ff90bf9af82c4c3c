import assert from 'node:assert/strict'

import type { Reference, Span } from './spans.ts'

/** µs. The SDK itself takes the time of a span’s start in whole ms. */
const TOLERANCE = 1000

/** What one request left: its server span, and the two of its item. */
export interface RequestSpans {
  readonly server: Span
  readonly wait: Span
  readonly execute: Span
  readonly batch: Span
}

/**
 * Holds the spans of requests with one item each against what observability promises, and throws at the
 * first that is not so.
 *
 * @param requestIds - of all requests
 */
export function assertTraces(
  spans: readonly Span[],
  requestIds: readonly string[],
): readonly RequestSpans[] {
  const all = new Spans(spans)
  const requests = requestIds.map((id) => requestOf(all, id))
  const batches = new Map(requests.map(({ batch }) => [batch.spanId, batch]))
  for (const batch of batches.values()) {
    const members = requests.filter((request) => request.batch === batch)
    assertBatch(all, batch, members)
  }
  for (const request of requests) assertTimes(request)
  // Nothing is there that belongs to nobody: no second server span, no batch without a request.
  const known = 3 * requests.length + 2 * batches.size
  assert.equal(spans.length, known, 'spans of all requests, their batches and the queries of those')
  return requests
}

class Spans {
  readonly #byId = new Map<string, Span>()
  readonly #children = new Map<string, Span[]>()
  readonly #servers = new Map<unknown, Span>()

  constructor(spans: readonly Span[]) {
    for (const span of spans) {
      this.#byId.set(keyOf(span), span)
      const requestId = span.attributes['heddle.request.id']
      if (requestId !== undefined) {
        assert.ok(!this.#servers.has(requestId), 'each request has one server span')
        this.#servers.set(requestId, span)
      }
      if (span.parent === undefined) continue
      const children = this.#children.get(keyOf(span.parent)) ?? []
      children.push(span)
      this.#children.set(keyOf(span.parent), children)
    }
  }

  at(reference: Reference | undefined, what: string): Span {
    const span = reference && this.#byId.get(keyOf(reference))
    assert.ok(span, `${what} is stored`)
    return span
  }

  childrenOf(span: Span): readonly Span[] {
    return this.#children.get(keyOf(span)) ?? []
  }

  serverOf(requestId: string): Span {
    const span = this.#servers.get(requestId)
    assert.ok(span, `request ${requestId} has a server span`)
    return span
  }
}

function requestOf(all: Spans, requestId: string): RequestSpans {
  const server = all.serverOf(requestId)
  assert.equal(server.parent, undefined, 'nobody has sent a trace context')
  assert.match(server.name, /^GET \/cities\//, 'the server span is named after its route')
  const children = all.childrenOf(server)
  const wait = children.find(({ name }) => name.startsWith('wait '))
  const execute = children.find(({ name }) => name.startsWith('execute '))
  assert.ok(wait && execute, `request ${requestId} shows its wait and its execution`)
  assert.equal(execute.links.length, 1, 'an item refers to its batch')
  const batch = all.at(execute.links[0], 'the batch of an item')
  assert.equal(batch.attributes['heddle.batch.id'], execute.attributes['heddle.batch.id'])
  return { server, wait, execute, batch }
}

function assertBatch(all: Spans, batch: Span, members: readonly RequestSpans[]): void {
  assert.match(batch.name, /^batch /)
  const [first] = members
  // One that is alone in its batch has it in its own trace.
  const parent = members.length === 1 && first ? keyOf(first.server) : undefined
  assert.equal(batch.parent && keyOf(batch.parent), parent, 'a batch of several has no parent')
  if (parent === undefined) {
    for (const { server } of members) assert.notEqual(batch.traceId, server.traceId)
  }
  assert.deepEqual(
    new Set(batch.links.map(keyOf)),
    new Set(members.map(({ wait }) => keyOf(wait))),
    'a batch refers to all its members, and to nobody else',
  )
  assert.equal(batch.attributes['heddle.batch.size'], members.length)
  const children = all.childrenOf(batch)
  assert.deepEqual(
    children.map(({ name }) => name),
    ['SELECT'],
    'the query is the batch’s',
  )
  assertWithin(children[0]!, batch, 'the query')
}

function assertTimes({ server, wait, execute, batch }: RequestSpans): void {
  assertWithin(wait, server, 'the wait')
  assertWithin(execute, server, 'the execution')
  assert.ok(wait.end < execute.start, 'an item waits before it is executed')
  assertWithin(batch, execute, 'the batch')
  const whole = execute.end - wait.start
  const parts = wait.end - wait.start + (execute.end - execute.start)
  assert.ok(Math.abs(whole - parts) <= TOLERANCE, `${whole} µs are ${parts} µs in parts`)
  const inQueue = Number(execute.attributes['heddle.item.time_in_queue']) * 1e6
  assert.ok(Math.abs(inQueue - (wait.end - wait.start)) <= TOLERANCE, 'time_in_queue is the wait')
}

function assertWithin(inner: Span, outer: Span, what: string): void {
  const isWithin = outer.start <= inner.start + TOLERANCE && inner.end <= outer.end + TOLERANCE
  assert.ok(
    isWithin,
    `${what} [${inner.start}, ${inner.end}] lies in [${outer.start}, ${outer.end}]`,
  )
}

function keyOf({ traceId, spanId }: Reference): string {
  return `${traceId}/${spanId}`
}
