import { type Scope, tryCurrent } from '@heddle/context'
import { instrument, type ItemTiming } from '@heddle/core'
import type { Context } from 'hono'

import { setHeader } from './headers.ts'

/** A request that submits more is told of the first ones: headers have a limit. */
const MAX_ITEMS = 8

interface Entry {
  readonly batcher: string
  readonly timing: ItemTiming
}

const timings = new WeakMap<Scope, Entry[]>()
let watching = false

/** Notes the timing of what requests submit, for those that {@link collectTimings} was called for. */
export function watchTimings(): void {
  if (watching) return
  watching = true
  instrument<Entry[] | undefined>({
    onSubmit: () => entriesOf(tryCurrent()),
    onSettle({ batcher, timing }, entries) {
      if (timing && entries && entries.length < MAX_ITEMS) entries.push({ batcher, timing })
    },
  })
}

export function collectTimings(request: Scope): void {
  timings.set(request, [])
}

/**
 * Writes the `Server-Timing` header: per item the time in the queue and in the batch, with the batch's
 * size as the description, and the total until now. Durations in ms
 * (https://www.w3.org/TR/server-timing/).
 */
export function writeServerTiming(c: Context, request: Scope): void {
  const metrics = (timings.get(request) ?? []).flatMap(({ batcher, timing }) => [
    metric('queue', timing.queued, batcher),
    metric('run', timing.ran, `${batcher}, batch of ${timing.batchSize}`),
  ])
  metrics.push(metric('total', request.elapsed()))
  setHeader(c, 'Server-Timing', metrics.join(', '), 'append')
}

function metric(name: string, duration: number, description?: string): string {
  const dur = `${name};dur=${duration.toFixed(2)}`
  return description === undefined ? dur : `${dur};desc="${quoted(description)}"`
}

/** RFC 9110, section 5.6.4: what a quoted string cannot hold as it is. */
function quoted(text: string): string {
  return text.replaceAll(/[^\u0020-\u007E]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
}

function entriesOf(scope: Scope | undefined): Entry[] | undefined {
  for (let at = scope; at; at = at.parent) {
    const entries = timings.get(at)
    if (entries) return entries
  }
  return undefined
}
