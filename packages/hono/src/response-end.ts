import { relay } from '@heddle/context/engine'
import type { Context } from 'hono'

/** A Node response, as @hono/node-server puts it into `c.env`. */
interface Outgoing {
  once(event: 'close', listener: () => void): unknown
}

/**
 * Calls `onEnd` once when the response has ended: its last byte is out or the client is gone, which for
 * a stream is long after the handler has returned. Must be called before the handler runs.
 *
 * @returns what must be called once the response is there, or will not come
 */
export function watchResponse(c: Context, onEnd: () => void): () => void {
  const outgoing = outgoingOf(c)
  if (outgoing) {
    // Node: the socket knows, and the response need not be touched, which would cost its fast path.
    outgoing.once('close', onEnd)
    return nothing
  }
  return () => {
    const { body } = c.finalized ? c.res : { body: null }
    // Nobody reads the body of an answer to HEAD.
    if (body === null || c.req.raw.method === 'HEAD') {
      onEnd()
      return
    }
    const { res } = c
    // Hono would copy the old response's headers once more.
    c.res = undefined
    c.res = new Response(relay(body, { around: (call) => call(), onEnd }), res)
  }
}

function outgoingOf(c: Context): Outgoing | undefined {
  const { outgoing } = (c.env ?? {}) as { readonly outgoing?: Partial<Outgoing> }
  return typeof outgoing?.once === 'function' ? (outgoing as Outgoing) : undefined
}

function nothing(): void {}
