import { tryCurrent } from '@heddle/context'
import { relay } from '@heddle/context/engine'
import type { Context } from 'hono'

import { bunServerOf } from './bun-server.ts'
import { Ending, type OnEnd } from './ending.ts'
import type { HttpScope } from './http-scope.ts'
import { noteResponses, noteStreams } from './made-responses.ts'
import { type Incoming, nodeBindings, type Outgoing, ownBindings } from './node-bindings.ts'
import { type Carrier, followCarrier } from './queued-response.ts'
import { pollResponse } from './response-poll.ts'

/**
 * Keeps the scope open until the response has ended: its last byte is out or the client is gone, which
 * for a stream is long after the handler has returned. Must be called before the handler runs.
 *
 * The response goes out as it is. On Node the socket tells its end, on Bun the server. A stream that was
 * given to Hono elsewhere than on Node is passed on chunk by chunk. What else nobody tells the end of, ends
 * with the handler.
 *
 * @param onEnd - called when it has ended, while the scope is open
 * @returns what must be called once the response is there, or will not come
 */
export function watchResponse(c: Context, scope: HttpScope, onEnd: OnEnd): () => void {
  // A request that a handler makes itself, with its own `c.env`, does not end with the one it is made in.
  const { incoming, outgoing } = tryCurrent() === undefined ? nodeBindings(c) : ownBindings(c)
  return typeof outgoing?.on === 'function'
    ? watchOutgoing(outgoing, incoming, new Ending(scope, noteStreams(c), onEnd))
    : watchAnswer(c, scope, onEnd)
}

function watchOutgoing(
  outgoing: Outgoing,
  incoming: Incoming | undefined,
  ending: Ending,
): () => void {
  const carrier = carrierOf(outgoing, incoming)
  // The client has left, or a middleware before has answered, while another one before was waiting.
  if (outgoing.closed === true || (outgoing.stream ?? carrier)?.closed === true) {
    return () => {
      ending.end(false)
      ending.answered()
    }
  }
  // A cancelled HTTP/2 stream counts as finished, too. `once` would make an object more.
  const close = (): void => ending.end(outgoing.writableFinished && incoming?.aborted !== true)
  outgoing.on('close', close)
  if (carrier) outgoing.on('close', followCarrier(carrier, close))
  return () => ending.answered()
}

/** The connection of a response that waits for others to be sent first, as it may with HTTP/1 alone. */
function carrierOf(outgoing: Outgoing, incoming: Incoming | undefined): Carrier | undefined {
  // For HTTP/2 Node would make an object of `socket`.
  const isQueued = outgoing.stream === undefined && outgoing.socket === null
  return isQueued ? incoming?.socket : undefined
}

function watchAnswer(c: Context, scope: HttpScope, onEnd: OnEnd): () => void {
  const made = noteResponses(c)
  const ending = new Ending(scope, made, onEnd)
  // A middleware behind may put another one in its place, which the server does not know.
  const request = c.req.raw
  const server = bunServerOf(c)
  const end = (isComplete: boolean): void => ending.end(isComplete)
  return () => {
    ending.answered()
    const { method, signal } = request
    // Nobody reads a body for HEAD, and what is there as a whole needs nothing more of the request.
    const isOver = !c.finalized || method === 'HEAD' || c.res === made.whole
    if (isOver || signal.aborted) end(!signal.aborted)
    // An answer to an error may be out already, if the error was that of a middleware before, as
    // `timeout()` is one: then its body is no longer ours to take.
    else if (c.error === undefined && c.res === made.streamed && passOn(c, signal, ending)) return
    else if (server !== undefined && pollResponse(server, request, end)) return
    // What another middleware has made of a stream.
    else if (c.error === undefined && made.stream && passOn(c, signal, ending)) return
    else end(!signal.aborted)
  }
}

/** @returns whether there was a body to pass on */
function passOn(c: Context, signal: AbortSignal, ending: Ending): boolean {
  const { headers, status } = c.res
  // After the headers: without its body, node-server's Response forgets those that it has by default.
  const { body, statusText } = c.res
  if (!(body instanceof ReadableStream) || body.locked) return false
  // Hono would copy the old response's headers once more.
  c.res = undefined
  c.res = new Response(watched(body, signal, ending), { headers, status, statusText })
  return true
}

function watched(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  ending: Ending,
): ReadableStream<Uint8Array> {
  const leave = (): void => {
    signal.removeEventListener('abort', leave)
    ending.end(false)
  }
  // Bun neither reads nor cancels the body for a client that has left before its first chunk.
  signal.addEventListener('abort', leave)
  return relay(body, {
    around: (call) => call(),
    onCancel: leave,
    onEnd(isComplete) {
      signal.removeEventListener('abort', leave)
      ending.end(isComplete, false)
    },
  })
}
