import { relay } from '@heddle/context/engine'
import type { Context } from 'hono'

/** A Node response, as @hono/node-server puts it into `c.env`. */
interface Outgoing {
  once(event: 'close', listener: () => void): unknown
}

/**
 * When the response has ended: `closed` resolves when its last byte is out or the client is gone, which
 * for a stream is long after the handler has returned.
 */
export interface ResponseEnd {
  readonly closed: Promise<void>
  /** Must be called once the response is there, or will not come. */
  settle(c: Context): void
}

/** Must be called before the handler runs. */
export function watchResponse(c: Context): ResponseEnd {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const outgoing = outgoingOf(c)
  if (outgoing) {
    // Node: the socket knows, and the response need not be touched, which would cost its fast path.
    outgoing.once('close', resolve)
    return { closed, settle() {} }
  }
  return {
    closed,
    settle(context) {
      const { body } = context.finalized ? context.res : { body: null }
      // Nobody reads the body of an answer to HEAD.
      if (body === null || context.req.raw.method === 'HEAD') {
        resolve()
        return
      }
      const { res } = context
      // Hono would copy the old response's headers once more.
      context.res = undefined
      context.res = new Response(relay(body, { around: (call) => call(), onEnd: resolve }), res)
    },
  }
}

function outgoingOf(c: Context): Outgoing | undefined {
  const { outgoing } = (c.env ?? {}) as { readonly outgoing?: Partial<Outgoing> }
  return typeof outgoing?.once === 'function' ? (outgoing as Outgoing) : undefined
}
