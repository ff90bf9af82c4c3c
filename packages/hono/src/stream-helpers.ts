import { tryCurrent } from '@heddle/context'
import { type RequestScope, runIn, SourceHold, platform } from '@heddle/context/engine'
import { StreamingApi } from 'hono/utils/stream'

/** Whose response a stream is. */
const scopes = new WeakMap<ReadableStream, RequestScope>()
/** Streams whose source holds the scope itself for as long as it needs it. */
const selfHolding = new WeakSet<ReadableStream>()
/** Those of streams whose client has left. */
const holds = new WeakMap<StreamingApi, SourceHold>()

/** What is put in the place of their methods has their `this`. */
interface Patched {
  abort: (this: StreamingApi) => void
  close: (this: StreamingApi) => Promise<void>
}

let isWatching = false

/** Notes that the stream is the body of a response of this request. */
export function noteBody(stream: ReadableStream, scope: RequestScope): void {
  scopes.set(stream, scope)
}

/** Notes that the source of the stream holds the scope itself. */
export function noteSelfHolding(stream: ReadableStream): void {
  selfHolding.add(stream)
}

export function isSelfHolding(stream: ReadableStream): boolean {
  return selfHolding.has(stream)
}

/**
 * Keeps a scope open when its client leaves in the middle of a `stream()`, `streamText()` or
 * `streamSSE()` of Hono, until the function that it was given has ended: the rest of it, above all its
 * `finally`, may need the request's values.
 *
 * Hono tells nobody when that is, but it closes the stream then, and its class is the only place to see it.
 */
export function watchStreamHelpers(): void {
  if (isWatching) return
  isWatching = true
  const { prototype } = StreamingApi as { readonly prototype: Patched }
  const { abort, close } = prototype
  prototype.abort = function abortStream(): void {
    const scope = scopes.get(this.responseReadable)
    if (scope === undefined || this.aborted || this.closed) {
      abort.call(this)
      return
    }
    noteSelfHolding(this.responseReadable)
    holds.set(this, new SourceHold(scope, SourceHold.TO_END))
    // On Node the app's listeners would otherwise run in the context of the socket.
    if (tryCurrent()) abort.call(this)
    else runIn(scope, () => abort.call(this))
  }
  prototype.close = function closeStream(): Promise<void> {
    noteSelfHolding(this.responseReadable)
    const hold = holds.get(this)
    // A turn later: the function may have closed the stream itself, with something left to do.
    if (hold) platform.setImmediate(() => hold.release())
    return close.call(this)
  }
}
