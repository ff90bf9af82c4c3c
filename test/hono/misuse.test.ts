/** Every way to use the middleware wrongly: its message. */
import { heddle, type HeddleOptions, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

describe('heddle()', () => {
  it.each<[object, string]>([
    [{ timeout: 0 }, 'Expected `timeout` to be a number of ms above 0, got 0'],
    [{ timeout: Number.NaN }, 'Expected `timeout` to be a number of ms above 0, got NaN'],
    [{ timeout: '5s' }, "Expected `timeout` to be a number of ms above 0, got '5s'"],
    [{ overloadStatus: 500 }, 'Expected `overloadStatus` to be 503 or 429, got 500'],
    [{ serverTiming: 'yes' }, "Expected `serverTiming` to be a boolean, got 'yes'"],
    [{ problems: 1 }, 'Expected `problems` to be a boolean, got 1'],
    [{ telemetry: null }, 'Expected `telemetry` to be a boolean, got null'],
    [
      { requestId: { header: 'bad header' } },
      "Expected `requestId.header` to be the name of a header, got 'bad header'",
    ],
    [{ requestId: { trust: 'yes' } }, "Expected `requestId.trust` to be a boolean, got 'yes'"],
    [
      { requestId: { generate: 'uuid' } },
      "Expected `requestId.generate` to be a function, got 'uuid'",
    ],
  ])('refuses %o', (options, message) => {
    expect(() => heddle(options as HeddleOptions)).toThrow(new TypeError(`heddle(): ${message}`))
  })
})

describe('scopeOf', () => {
  it('says what is missing without the middleware', async () => {
    const app = new Hono()
    app.get('/', (c) => c.json(scopeOf(c).id))
    app.onError((error, c) =>
      c.text(`${(error as Error & { code: string }).code} ${error.message}`),
    )
    const text = await (await app.request('/')).text()
    expect(text).toMatch(
      /^NO_SCOPE This request has no scope\. Likely cause: `heddle\(\)` does not run/,
    )
    expect(text).toContain('Cure: put `app.use(heddle())` before the routes.')
  })
})
