import { relay } from '@heddle/context/engine'
import type { Context } from 'hono'

import { type Incoming, nodeBindings, type Outgoing } from './node-bindings.ts'

/** Called once; whether the last byte went out, to a client that was there. */
export type OnEnd = (isComplete: boolean) => void

/**
 * Calls `onEnd` when the response has ended: its last byte is out or the client is gone, which for a
 * stream is long after the handler has returned. Must be called before the handler runs.
 *
 * On Node the socket knows, and the response need not be touched, which would cost its fast path.
 * Elsewhere a body that may be a stream is passed on chunk by chunk.
 *
 * @returns what must be called once the response is there, or will not come
 */
export function watchResponse(c: Context, onEnd: OnEnd): () => void {
  const { incoming, outgoing } = nodeBindings(c)
  return typeof outgoing?.on === 'function'
    ? watchOutgoing(outgoing, incoming, onEnd)
    : watchBody(c, onEnd)
}

function watchOutgoing(
  outgoing: Outgoing,
  incoming: Incoming | undefined,
  onEnd: OnEnd,
): () => void {
  // The client has left, or a middleware before has answered, while another one before was waiting.
  if (outgoing.closed ?? outgoing.stream?.closed) return () => onEnd(false)
  // A cancelled HTTP/2 stream counts as finished, too. `once` would make an object more.
  outgoing.on('close', () => onEnd(outgoing.writableFinished && incoming?.aborted !== true))
  return nothing
}

function nothing(): void {}

function watchBody(c: Context, onEnd: OnEnd): () => void {
  const made = noteWhole(c)
  return () => {
    const { signal } = c.req.raw
    if (!c.finalized || isWhole(c, made) || signal.aborted) {
      onEnd(!signal.aborted)
      return
    }
    const { headers, status } = c.res
    // After the headers: without its body, node-server's Response forgets those that it has by default.
    const { body, statusText } = c.res
    if (body === null || body.locked) {
      onEnd(true)
      return
    }
    // Hono would copy the old response's headers once more.
    c.res = undefined
    c.res = new Response(watched(body, signal, onEnd), { headers, status, statusText })
  }
}

function watched(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  onEnd: OnEnd,
): ReadableStream<Uint8Array> {
  let hasEnded = false
  const end = (isComplete: boolean): void => {
    if (hasEnded) return
    hasEnded = true
    signal.removeEventListener('abort', leave)
    onEnd(isComplete)
  }
  const leave = (): void => end(false)
  // Bun neither reads nor cancels the body for a client that has left before its first chunk.
  signal.addEventListener('abort', leave)
  return relay(body, { around: (call) => call(), onEnd: end })
}

/** Whether nothing is left to be done for this response, or nobody will read its body. */
function isWhole(c: Context, made: Made): boolean {
  // An answer to an error is short. It may even be out already, if the error was that of a middleware
  // before, as `timeout()` is one: then its body is no longer ours to take.
  return c.error !== undefined || c.res === made.whole || c.req.raw.method === 'HEAD'
}

/** The last response that was made of something whole. */
interface Made {
  whole: Response | undefined
}

/**
 * Notes what `c.json()`, `c.text()`, `c.html()` and `c.body()` make of anything but a stream. A
 * response does not tell, and to pass a string through a stream costs more than the rest of the request.
 */
function noteWhole(c: Context): Made {
  const made: Made = { whole: undefined }
  c.json = noted(c.json, made)
  c.text = noted(c.text, made)
  c.html = noted(c.html, made)
  c.body = noted(c.body, made)
  return made
}

function noted<F extends (...args: any[]) => any>(make: F, made: Made): F {
  // All of them have these parameters.
  const makeAndNote = (data: unknown, init: unknown, headers: unknown): ReturnType<F> => {
    const response = make(data, init, headers)
    if (response instanceof Response && !(data instanceof ReadableStream)) made.whole = response
    return response
  }
  return makeAndNote as F
}
