import { clock } from './clock.ts'
import { ErrorBoundary } from './error-boundary.ts'
import { ContextError } from './errors.ts'
import { adoptedValue, enterStores, type Entry, isAdoption } from './own-stores/adopted-stores.ts'
import { decodeText, encodeText } from './percent.ts'
import { type KeySlot, registry, storage, type TracePropagation } from './registry.ts'
import { RequestScope } from './request-scope.ts'
import { current, runOwned } from './run.ts'
import { type BaseScope, baseOf } from './scope.ts'
import type { Carrier, Carry, Scope } from './types.ts'
import { callSite, warn } from './warning.ts'

// W3C Baggage, section 3.3.2: what every implementation must be able to pass on.
const MAX_MEMBERS = 64
const MAX_BYTES = 8192
const MAX_VALUE_BYTES = 4096

/** What an id may be: it may end up in logs and headers, so it has no line breaks. */
const ID = /^[\u0020-\u007E]{1,256}$/
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

/**
 * Packs a scope for another thread or process: the values of keys that have `carry`, and nothing else.
 * What does not fit into the limits of W3C Baggage (64 members, 8192 bytes) or the key's `maxBytes` is
 * left out, with a warning.
 *
 * @param scope - by default the current one
 * @returns plain data that can be structured-cloned or written as JSON
 * @throws ContextError `NO_SCOPE` or `SCOPE_CLOSED`, and `INVALID_CARRIER` when an `encode` throws or returns
 * no string: without that value the receiver could do the work as somebody else
 */
export function toCarrier(scope: Scope = current()): Carrier {
  const entries: [string, string][] = []
  let bytes = 0
  for (const [name, key] of registry.carriedKeys) {
    const value = valueOf(key, baseOf(scope))
    if (value === undefined || key.carry === undefined) continue
    const { maxBytes = MAX_VALUE_BYTES } = key.carry
    const text = encodeText(encoded(name, key.carry, value))
    // As a member of a baggage header: name=value, and a comma between two.
    const size = encodeText(name).length + text.length + 2
    if (text.length > maxBytes || bytes + size > MAX_BYTES || entries.length === MAX_MEMBERS) {
      warn('CARRIER_LIMIT', name, `\`${name}\` is too large for a carrier, so it was left out`)
      continue
    }
    bytes += size
    entries.push([name, text])
  }
  const traceparent = currentTrace()
  const { id, deadline } = scope
  return {
    v: 1,
    id: ID.test(id) ? id : encodeText(id).slice(0, 256),
    entries,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(deadline === undefined ? {} : { deadlineMs: Math.max(0, deadline - clock.now()) }),
  }
}

/**
 * Runs `fn` in a fresh request scope with what the carrier holds, in the trace it came from. Names that
 * no key of this process has are passed over.
 *
 * @throws ContextError `INVALID_CARRIER` when it is malformed, too large, or a value cannot be decoded
 */
export function runCarrier<R>(carrier: Carrier, fn: () => R): R {
  const { id, entries, traceparent, deadlineMs } = assertCarrier(carrier)
  // A deadline that has passed on the way is one that passes at once.
  const timeout =
    deadlineMs === undefined ? {} : { timeout: Math.max(deadlineMs, Number.MIN_VALUE) }
  const scope = new RequestScope({ id, ...timeout })
  scope.openedAt = callSite(runCarrier)
  const open = (): R => {
    const values = decoded(entries)
    return enterStores(values, () => runOwned(scope, values, fn))
  }
  const { tracePropagation } = registry
  if (traceparent === undefined || tracePropagation === undefined) return open()
  return telemetry.enter('run', (call) => tracePropagation.run(traceparent, call), open)
}

const telemetry = new ErrorBoundary('the trace propagation of carriers')

/** Left out where it is not valid, since whoever gets the carrier would refuse it all. */
function currentTrace(): string | undefined {
  const traceparent = telemetry.run('write', () => registry.tracePropagation?.write())
  return isTraceparent(traceparent) ? traceparent : undefined
}

function isTraceparent(value: unknown): value is string {
  return typeof value === 'string' && TRACEPARENT.test(value)
}

/** What a scope says of a key. What is in an adopted store now belongs to the request of now. */
function valueOf(key: KeySlot, scope: BaseScope): unknown {
  const here = storage.getStore()
  const isHere = here !== undefined && (here === scope || here.owner === scope.owner)
  return isAdoption(key) && isHere ? adoptedValue(key, scope) : scope.read(key.index, key.name)
}

function decoded(entries: Carrier['entries']): Entry[] {
  const found: Entry[] = []
  for (const [name, text] of entries) {
    const key: KeySlot | undefined = registry.carriedKeys.get(name)
    if (key?.carry === undefined) continue
    try {
      found.push({ key, value: key.carry.decode(decodeText(text)) as unknown })
    } catch (cause) {
      throw invalid(`the value of \`${name}\` to be one that its key can decode`, cause)
    }
  }
  return found
}

/** What the app's own code makes of a value, which may be anything. */
function encoded(name: string, carry: Carry<unknown>, value: unknown): string {
  let text: unknown
  try {
    text = carry.encode(value)
  } catch (cause) {
    throw new ContextError('INVALID_CARRIER', `\`carry.encode\` of key \`${name}\` threw`, {
      cause,
    })
  }
  if (typeof text === 'string') return text
  throw new ContextError(
    'INVALID_CARRIER',
    `Expected \`carry.encode\` of key \`${name}\` to return a string, got ${typeof text}`,
  )
}

/** It may come from anywhere: only what is checked here is ever looked at. */
function assertCarrier(carrier: unknown): Carrier {
  if (typeof carrier !== 'object' || carrier === null) throw invalid('an object')
  const { v, id, entries, traceparent, deadlineMs } = carrier as Partial<Record<string, unknown>>
  if (v !== 1) throw invalid('`v` to be 1')
  if (typeof id !== 'string' || !ID.test(id)) throw invalid('`id` to be a plausible id')
  if (!Array.isArray(entries) || entries.length > MAX_MEMBERS) {
    throw invalid(`\`entries\` to be an array of at most ${MAX_MEMBERS}`)
  }
  const pairs = entries.map(assertEntry)
  const bytes = pairs.reduce((sum, [name, text]) => sum + name.length + text.length + 2, 0)
  if (bytes > MAX_BYTES) throw invalid(`\`entries\` to take at most ${MAX_BYTES} bytes`)
  const names = new Set(pairs.map(([name]) => name))
  if (names.size !== pairs.length) throw invalid('each name once in `entries`')
  if (traceparent !== undefined && !isTraceparent(traceparent)) {
    throw invalid('`traceparent` to be one of W3C Trace Context')
  }
  if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs >= 0)) {
    throw invalid('`deadlineMs` to be a number of ms of at least 0')
  }
  return {
    v: 1,
    id,
    entries: pairs,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
}

function assertEntry(entry: unknown): readonly [string, string] {
  const [name, text, ...others]: unknown[] = Array.isArray(entry) ? entry : []
  if (typeof name === 'string' && typeof text === 'string' && others.length === 0) {
    return [name, text]
  }
  throw invalid('each of `entries` to be a name and a value')
}

function invalid(what: string, cause?: unknown): ContextError {
  return new ContextError(
    'INVALID_CARRIER',
    `Expected ${what} in a carrier. Likely cause: it was not made by \`toCarrier()\`, or changed on its way.`,
    cause === undefined ? {} : { cause },
  )
}

/**
 * Tells carriers how to take the trace context along: this package knows no tracer. `undefined` takes
 * it back.
 */
export function setTracePropagation(propagation: TracePropagation | undefined): void {
  registry.tracePropagation = propagation
}
