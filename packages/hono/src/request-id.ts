import { warn } from '@heddle/context/engine'
import type { Context } from 'hono'

import { requestHeader } from './headers.ts'
import type { Settings } from './options.ts'

/** What may go into logs, headers and traces as it came: no spaces, no control characters, no quotes. */
const PLAUSIBLE = /^[\w\-=.]{1,128}$/

/**
 * The request's id: the one that a middleware before has set, the one that came with the request if
 * it is plausible and to be trusted, or a new one.
 */
export function requestIdOf(c: Context, { header, trust, generate }: Settings): string {
  const set: unknown = c.get('requestId')
  if (typeof set === 'string' && set !== '') return set
  const incoming = trust && header !== undefined ? requestHeader(c, header) : undefined
  if (incoming !== undefined && PLAUSIBLE.test(incoming)) return incoming
  const generated: unknown = generate(c)
  if (typeof generated === 'string' && generated !== '') return generated
  const got = generated === '' ? 'an empty one' : typeof generated
  warn('INVALID_REQUEST_ID', 'generate', `\`requestId.generate\` must return a string, got ${got}`)
  return crypto.randomUUID()
}
