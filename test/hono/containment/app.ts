import type { Scope } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'

import { until } from '../../support/crank.ts'

/** An app whose requests end in every way. */
export interface App {
  readonly hono: Hono
  /** The scopes of its requests. */
  readonly scopes: Scope[]
}

export function appWith(): App {
  const scopes: Scope[] = []
  const cities = createBatcher<string, string>({
    name: 'cities',
    run: (ids) => ids.map((id) => (id === 'none' ? new Error('no city') : `city ${id}`)),
  })
  const hono = new Hono()
  hono.use(heddle({ serverTiming: true }))
  hono.use((c, next) => {
    scopes.push(scopeOf(c))
    return next()
  })
  hono.get('/cities/:id', async (c) => c.text(await cities.submit(c.req.param('id'))))
  hono.get('/json', (c) => c.json({ requestId: c.get('requestId' as never) }))
  hono.get('/stream', (c) =>
    stream(
      c,
      async (out) => {
        await out.write('a')
        await out.write(await cities.submit('b'))
      },
      // A client that leaves is no news; Hono would print it.
      () => Promise.resolve(),
    ),
  )
  hono.get('/fails', () => {
    throw new Error('handler')
  })
  hono.onError((error, c) => c.text(`onError: ${error.message}`, 500))
  return { hono, scopes }
}

/** What clients get of each of its routes; resolves when every scope has closed. */
export async function answers(
  { scopes }: App,
  send: (path: string) => Promise<Response>,
): Promise<unknown[]> {
  const got: unknown[] = []
  for (const path of ['/cities/1', '/cities/none', '/json', '/stream', '/fails', '/nowhere']) {
    const response = await send(path)
    const { status, headers } = response
    got.push([path, status, headers.get('x-request-id'), await response.text()])
  }
  await until(() => scopes.every(({ state }) => state === 'closed'))
  return got
}

/** What they get without telemetry. */
export const EXPECTED: readonly unknown[] = [
  ['/cities/1', 200, 'r1', 'city 1'],
  ['/cities/none', 500, 'r1', 'onError: no city'],
  ['/json', 200, 'r1', '{"requestId":"r1"}'],
  ['/stream', 200, 'r1', 'acity b'],
  ['/fails', 500, 'r1', 'onError: handler'],
  ['/nowhere', 404, 'r1', '404 Not Found'],
]

export const HEADERS = { 'x-request-id': 'r1' }
