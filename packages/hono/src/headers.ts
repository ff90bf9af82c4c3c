import { warn } from '@heddle/context/engine'
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
    changeHeader(c, 'set', name, value)
  } else if (!outgoing.headersSent) {
    tryHeader(name, () => outgoing.setHeader(name, value))
  }
}

/** Adds to a header of the answer that is there. */
export function appendHeader(c: Context, name: string, value: string): void {
  changeHeader(c, 'append', name, value)
}

/** In place where that can be done: a copy of a response loses its file or its bytes. */
function changeHeader(c: Context, how: 'set' | 'append', name: string, value: string): void {
  try {
    const { headers } = c.res
    if (how === 'append' || !headers.has(name)) headers[how](name, value)
  } catch {
    changeCopy(c, how, name, value)
  }
}

/** The headers of a response that came from `fetch` cannot be changed; Hono makes a copy. */
function changeCopy(c: Context, how: 'set' | 'append', name: string, value: string): void {
  // Of an error of the network there is no copy. It goes out as it is.
  if (!(c.res.status >= 200)) return
  tryHeader(name, () => c.header(name, value, { append: how === 'append' }))
}

/**
 * The answer goes out without what cannot be set: an id of the app that is no value of a header, or a header
 * of what is no Response of this platform.
 */
function tryHeader(name: string, set: () => void): void {
  try {
    set()
  } catch (error) {
    const message = `The header \`${name}\` could not be set, so an answer goes out without it`
    warn('INVALID_HEADER', name, message, error)
  }
}
