import type { Context } from 'hono'

/**
 * Sets a header of the response that is there, without touching its body: that would cost the fast
 * path of node-server, and so does `c.header()` at this point.
 */
export function setHeader(
  c: Context,
  name: string,
  value: string,
  how: 'set' | 'append' = 'set',
): void {
  try {
    c.res.headers[how](name, value)
  } catch {
    // The headers of a response that came from `fetch` cannot be changed; Hono makes a copy.
    c.header(name, value, { append: how === 'append' })
  }
}
