import { type Scope, tryCurrent } from '@heddle/context'
import { baseOf } from '@heddle/context/engine'
import { instrument } from '@heddle/core'
import type { Context } from 'hono'

import { appendHeader, setDefaultHeader } from './headers.ts'
import { HttpScope } from './http-scope.ts'
import { name as packageName } from './version.ts'

const HEADER = 'Server-Timing'
/** A request that submits more is told of the first ones: headers have a limit. */
const MAX_ITEMS = 8

let watching = false

/** Notes what the items of requests took, of those that will be told. */
export function watchTimings(): void {
  if (watching) return
  watching = true
  instrument<HttpScope | undefined>({
    name: `${packageName} Server-Timing`,
    // Asked at the submit, in the caller's context: other items pay nothing for it.
    enabled: () => timedRequest(tryCurrent()) !== undefined,
    onSubmit: () => timedRequest(tryCurrent()),
    onSettle({ batcher, timing }, request) {
      if (timing === undefined || request === undefined || request.state === 'closed') return
      const times = (request.itemTimes ??= [])
      if (times.length < MAX_ITEMS) times.push({ batcher, timing })
    },
  })
}

function timedRequest(scope: Scope | undefined): HttpScope | undefined {
  const request = scope && baseOf(scope).owner
  return request instanceof HttpScope && request.settings.serverTiming ? request : undefined
}

/** What `hono/timing` keeps in the variable `metric`, until it writes its header. */
export interface HonoTiming {
  readonly headers: string[]
  readonly timers: ReadonlyMap<string, unknown>
}

/** That of a `timing()` which has started; an app may have a variable of this name that is another's. */
export function timingOf(c: Context): HonoTiming | undefined {
  const variable = c.get('metric') as Partial<HonoTiming> | null | undefined
  return Array.isArray(variable?.headers) && variable.timers instanceof Map
    ? (variable as HonoTiming)
    : undefined
}

/**
 * Tells in the `Server-Timing` header, per item, the time in the queue and in the batch, with the
 * batch's size as the description, and the total until now. Durations in ms
 * (https://www.w3.org/TR/server-timing/). A header that the app wrote itself stays as it is.
 *
 * @param outer - of a `timing()` that stands before: it writes the header, ours with its own
 */
export function writeServerTiming(c: Context, request: HttpScope, outer?: HonoTiming): void {
  const metrics = metricsOf(request)
  if (outer) {
    if (!outer.timers.has('total')) metrics.push(totalOf(request))
    outer.headers.push(...metrics)
    return
  }
  if (timingOf(c) === undefined) {
    metrics.push(totalOf(request))
    setDefaultHeader(c, HEADER, metrics.join(', '))
    return
  }
  // One that stands behind has written its header already.
  if (!hasTotal(c.res.headers.get(HEADER))) metrics.push(totalOf(request))
  if (metrics.length > 0) appendHeader(c, HEADER, metrics.join(', '))
}

/** What the items that settle from now on took together, and the request until then, in ms. */
export interface ElapsedTiming {
  readonly queue?: number
  readonly run?: number
  readonly total?: number
}

/** For a stream, whose items settle when its headers are out. Gives nothing without `serverTiming`. */
export function timingSince(request: HttpScope): () => ElapsedTiming {
  if (!request.settings.serverTiming) return () => ({})
  const before = request.itemTimes?.length ?? 0
  return () => {
    const times = request.itemTimes?.slice(before) ?? []
    const total = rounded(request.elapsed())
    if (times.length === 0) return { total }
    return {
      queue: rounded(times.reduce((sum, { timing }) => sum + timing.queued, 0)),
      run: rounded(times.reduce((sum, { timing }) => sum + timing.ran, 0)),
      total,
    }
  }
}

/** Hundredths of a ms, as in the header. */
function rounded(duration: number): number {
  return Math.round(duration * 100) / 100
}

function hasTotal(header: string | null): boolean {
  return header !== null && /(?:^|,)\s*total\b/.test(header)
}

function metricsOf({ itemTimes }: HttpScope): string[] {
  if (itemTimes === undefined) return []
  return itemTimes.flatMap(({ batcher, timing }) => [
    metric('queue', timing.queued, batcher),
    metric('run', timing.ran, `${batcher}, batch of ${timing.batchSize}`),
  ])
}

function totalOf(request: Scope): string {
  return metric('total', request.elapsed())
}

function metric(name: string, duration: number, description?: string): string {
  const dur = `${name};dur=${duration.toFixed(2)}`
  return description === undefined ? dur : `${dur};desc="${quoted(description)}"`
}

/** RFC 9110, section 5.6.4: what a quoted string cannot hold as it is. */
function quoted(text: string): string {
  return text.replaceAll(/[^\u0020-\u007E]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
}
