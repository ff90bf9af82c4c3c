import type { Context } from 'hono'

import { ownBindings } from './node-bindings.ts'

/** A header of the request; on Node without making a `Headers` of all of them. */
export function requestHeader(c: Context, name: string): string | undefined {
  const { incoming } = ownBindings(c)
  if (incoming === undefined) return c.req.header(name)
  const value = incoming.headers[name.toLowerCase()]
  return typeof value === 'string' ? value : value?.join(', ')
}

/**
 * Gives the answer that is there a header, unless it has one of this name.
 *
 * On Node the outgoing message takes it, which lets an answer's own go first. A response with headers of
 * its own would lose node-server's fast path, and so would one after `c.header()`.
 */
export function setDefaultHeader(c: Context, name: string, value: string): void {
  const { outgoing } = ownBindings(c)
  if (outgoing === undefined) {
    if (!c.res.headers.has(name)) changeHeader(c, 'set', name, value)
  } else if (!outgoing.headersSent) {
    outgoing.setHeader(name, value)
  }
}

/** Adds to a header of the answer that is there. */
export function appendHeader(c: Context, name: string, value: string): void {
  changeHeader(c, 'append', name, value)
}

function changeHeader(c: Context, how: 'set' | 'append', name: string, value: string): void {
  try {
    c.res.headers[how](name, value)
  } catch {
    // The headers of a response that came from `fetch` cannot be changed; Hono makes a copy.
    c.header(name, value, { append: how === 'append' })
  }
}
