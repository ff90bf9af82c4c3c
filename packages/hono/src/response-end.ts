import { relay } from '@heddle/context/engine'
import type { Context } from 'hono'

/** What @hono/node-server puts into `c.env`: a Node response, and the request that it answers. */
interface Bindings {
  readonly outgoing: {
    once(event: 'close', listener: () => void): unknown
    readonly writableFinished: boolean
  }
  readonly incoming?: { readonly aborted?: boolean }
}

/**
 * Calls `onEnd` once when the response has ended: its last byte is out or the client is `gone`, which for
 * a stream is long after the handler has returned. Must be called before the handler runs.
 *
 * @returns what must be called once the response is there, or will not come
 */
export function watchResponse(c: Context, onEnd: (gone: boolean) => void): () => void {
  const node = bindingsOf(c)
  if (node) {
    const { outgoing, incoming } = node
    // Node: the socket knows, and the response need not be touched, which would cost its fast path.
    // A stream of HTTP/2 that was cancelled passes for finished, but for its request.
    outgoing.once('close', () => onEnd(!outgoing.writableFinished || incoming?.aborted === true))
    return nothing
  }
  noteWhole(c)
  return () => {
    const res = c.finalized ? c.res : undefined
    // Nobody reads the body of an answer to HEAD.
    if (!res || whole.has(res) || c.req.raw.method === 'HEAD' || res.body === null) {
      onEnd(c.req.raw.signal.aborted)
      return
    }
    // Hono would copy the old response's headers once more.
    c.res = undefined
    c.res = new Response(relay(res.body, { around: (call) => call(), onEnd }), res)
  }
}

function bindingsOf(c: Context): Bindings | undefined {
  const bindings = (c.env ?? {}) as { readonly outgoing?: Partial<Bindings['outgoing']> }
  return typeof bindings.outgoing?.once === 'function' ? (bindings as Bindings) : undefined
}

/** Responses whose body is a string, so that nothing is left to be done when they have been made. */
const whole = new WeakSet<Response>()

/**
 * Notes what is made by `c.json()`, `c.text()` and `c.html()`. A response does not tell a string from a
 * stream, and passing a string through a stream would cost more than the rest of the request.
 */
function noteWhole(c: Context): void {
  const { json, text, html } = c
  c.json = noted(json)
  c.text = noted(text)
  c.html = noted(html)
}

function noted<F extends (...args: any[]) => any>(make: F): F {
  const makeAndNote = (...args: Parameters<F>): ReturnType<F> => {
    const response = make(...args)
    if (response instanceof Response) whole.add(response)
    return response
  }
  return makeAndNote as F
}

function nothing(): void {}
