/** Every way to use the middleware wrongly: its message. */
import { createServer } from 'node:http'

import { createBatcher } from '@heddle/core'
import {
  batched,
  batchRoute,
  gracefulShutdown,
  heddle,
  heddleHealth,
  type HeddleOptions,
  scopeOf,
  streamBatched,
} from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { instrumentBatchers } from '@heddle/otel'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'

/** In JavaScript anything may come. */
const any = (value: unknown): any => value

const users = createBatcher<string, string>({ name: 'users', run: (ids) => ids })
const server = { stop: () => Promise.resolve() }

const NO_OBJECT = 'Expected the options to be an object, got'
const KNOWN = {
  heddle:
    '`requestId`, `timeout`, `serverTiming`, `details`, `problems`, `overloadStatus`, `telemetry`',
  heddleHealth: '`batchers`, `checks`, `maxAge`, `closing`, `probe`',
  gracefulShutdown: '`server`, `batchers`, `telemetry`, `timeout`',
}

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
    [{ details: 'all' }, "Expected `details` to be a boolean, got 'all'"],
    [{ timeout: '5000' }, "Expected `timeout` to be a number of ms above 0, got '5000'"],
    [{ timeout: -5 }, 'Expected `timeout` to be a number of ms above 0, got -5'],
    [{ timeout: null }, 'Expected `timeout` to be a number of ms above 0, got null'],
    [{ overloadStatus: '503' }, "Expected `overloadStatus` to be 503 or 429, got '503'"],
    [{ requestId: true }, 'Expected `requestId` to be an object or false, got true'],
    [{ requestId: 'X-Id' }, "Expected `requestId` to be an object or false, got 'X-Id'"],
    [{ requestId: null }, 'Expected `requestId` to be an object or false, got null'],
    [{ requestId: [] }, 'Expected `requestId` to be an object, got an array'],
    [
      { requestId: { headers: 'X-Id' } },
      'there is no option `requestId.headers`; the options are `requestId.header`, `requestId.trust`, `requestId.generate`',
    ],
    [{ timeOut: 5 }, `there is no option \`timeOut\`; the options are ${KNOWN.heddle}`],
    [any(null), `${NO_OBJECT} null`],
    [any([]), `${NO_OBJECT} an array`],
    [any('5s'), `${NO_OBJECT} '5s'`],
    [any(() => 1), `${NO_OBJECT} a function`],
  ])('refuses %o', (options, message) => {
    expect(() => heddle(options as HeddleOptions)).toThrow(new TypeError(`heddle(): ${message}`))
  })
})

describe('heddle({ timeout })', () => {
  const never = createBatcher<string, string>({ name: 'never', run: () => new Promise(() => {}) })

  it.each([
    [0.5, never, 504],
    [2 ** 31, users, 200],
    [Number.POSITIVE_INFINITY, users, 200],
  ])('takes %d ms', async (timeout, batcher, status) => {
    const app = new Hono()
    app.use(heddle({ timeout }))
    app.get('/', async (c) => c.text(await batcher.submit('answer')))
    app.onError((error, c) => c.text(error.message, 504))
    expect((await app.request('/')).status).toBe(status)
  })
})

describe('a function that Hono calls with its context', () => {
  const cases: readonly [name: string, add: (app: Hono) => unknown, cure: string][] = [
    ['heddle', (app) => app.use(any(heddle)), 'app.use(heddle())'],
    ['heddleHealth', (app) => app.get('/', any(heddleHealth)), "app.get('/ready', heddleHealth())"],
    ['inspector', (app) => app.use(any(inspector)), "app.route('/_heddle', inspector())"],
  ]

  it.each(cases)('%s says so, and what to write', async (name, add, cure) => {
    const app = new Hono()
    add(app)
    app.onError((error, c) => c.text(`${error.name} ${error.message}`, 500))
    expect(await (await app.request('/')).text()).toBe(
      `TypeError ${name}(): Expected the options to be an object, got the context of a request. ` +
        `Likely cause: \`${name}\` was given to Hono, not what it returns. Cure: \`${cure}\`.`,
    )
  })
})

describe('heddleHealth()', () => {
  it.each<[unknown, string]>([
    [[users], `${NO_OBJECT} an array`],
    [users, `${NO_OBJECT} a batcher. Cure: \`heddleHealth({ batchers: [batcher] })\`.`],
    [null, `${NO_OBJECT} null`],
    [{ batchers: users }, 'Expected `batchers` to be an array of batchers, got an object'],
    [
      { batchers: new Set([users]) },
      'Expected `batchers` to be an array of batchers, got an object',
    ],
    [{ batchers: [users, undefined] }, 'Expected `batchers[1]` to be a batcher, got undefined'],
    [{ batchers: ['users'] }, "Expected `batchers[0]` to be a batcher, got 'users'"],
    [
      { batchers: [{ batcher: users }] },
      'Expected `batchers[0]` to be a batcher, got an object. Cure: pass its `batcher`.',
    ],
    [{ checks: () => true }, 'Expected `checks` to be an array of functions, got a function'],
    [{ checks: [true] }, 'Expected `checks` to be an array of functions, got an array'],
    [{ maxAge: '10s' }, "Expected `maxAge` to be a number of ms above 0, got '10s'"],
    [{ maxAge: Number.NaN }, 'Expected `maxAge` to be a number of ms above 0, got NaN'],
    [{ closing: true }, 'Expected `closing` to be an AbortSignal, got true'],
    [{ probe: 'dead' }, "Expected `probe` to be 'ready' or 'live', got 'dead'"],
    [{ batcher: users }, `there is no option \`batcher\`; the options are ${KNOWN.heddleHealth}`],
  ])('refuses %o', (options, message) => {
    expect(() => heddleHealth(any(options))).toThrow(new TypeError(`heddleHealth(): ${message}`))
  })

  it('takes Infinity for an age', () => {
    expect(heddleHealth({ maxAge: Number.POSITIVE_INFINITY })).toEqual(expect.any(Function))
  })
})

describe('gracefulShutdown()', () => {
  const aServer = 'what `serve()` or `Bun.serve()` returned'

  it.each<[unknown, string]>([
    [undefined, `${NO_OBJECT} undefined`],
    [null, `${NO_OBJECT} null`],
    ['SIGTERM', `${NO_OBJECT} 'SIGTERM'`],
    [{}, `Expected \`server\` to be ${aServer}, got undefined`],
    [{ server: new Hono() }, `Expected \`server\` to be ${aServer}, got an object`],
    [{ server: Promise.resolve(server) }, `Expected \`server\` to be ${aServer}, got an object`],
    [{ server, batchers: users }, 'Expected `batchers` to be an array of batchers, got an object'],
    [{ server, batchers: [{}] }, 'Expected `batchers[0]` to be a batcher, got an object'],
    [
      { server, telemetry: () => Promise.resolve() },
      'Expected `telemetry` to be an object with a method `shutdown`, got a function',
    ],
    [
      { server, telemetry: null },
      'Expected `telemetry` to be an object with a method `shutdown`, got null',
    ],
    [{ server, timeout: '5s' }, "Expected `timeout` to be a number of ms above 0, got '5s'"],
    [{ server, timeout: Number.NaN }, 'Expected `timeout` to be a number of ms above 0, got NaN'],
    [
      { server, batcher: users },
      `there is no option \`batcher\`; the options are ${KNOWN.gracefulShutdown}`,
    ],
  ])('refuses %o', (options, message) => {
    expect(() => gracefulShutdown(any(options))).toThrow(
      new TypeError(`gracefulShutdown(): ${message}`),
    )
  })

  it('refuses a server in the place of the options', () => {
    const message =
      'gracefulShutdown(): Expected the options to be an object with a `server`, got a server. ' +
      'Cure: `gracefulShutdown({ server })`.'
    expect(() => gracefulShutdown(any(createServer()))).toThrow(new TypeError(message))
    expect(() => gracefulShutdown(any(server))).toThrow(new TypeError(message))
  })

  it('takes a batcher of `batchRoute()` by its name alone', () => {
    const route = batchRoute(
      any({ name: 'route', json: { '~standard': {} } }),
      any(() => []),
    )
    expect(() => gracefulShutdown({ server, batchers: [any(route)] })).toThrow(
      'Expected `batchers[0]` to be a batcher, got a function. Cure: pass its `batcher`.',
    )
    expect(gracefulShutdown({ server, batchers: [route.batcher] })).toEqual(expect.any(Function))
  })
})

describe('the rest', () => {
  it.each<[string, () => unknown, string]>([
    [
      'inspector',
      () => inspector(any({ authorise: () => true })),
      'there is no option `authorise`; the options are `authorize`, `closing`',
    ],
    ['inspector', () => inspector(any(null)), `${NO_OBJECT} null`],
    ['instrumentBatchers', () => instrumentBatchers(any(null)), `${NO_OBJECT} null`],
    [
      'instrumentBatchers',
      () => instrumentBatchers(any({ provider: 1 })),
      'there is no option `provider`; the options are `tracerProvider`, `meterProvider`, `baggage`, `parent`',
    ],
    [
      'batched',
      () => batched(any(users), users),
      'Expected `name` to be a string with text in it, got an object',
    ],
    [
      'batched',
      () => batched('users', any({ submit: true })),
      'Expected the second argument for `users` to be a batcher, got an object. ' +
        'Cure: pass what createBatcher() or createStreamBatcher() returned.',
    ],
    ['batchRoute', () => batchRoute(any(null), any(null)), `${NO_OBJECT} null`],
  ])('%s %#', (name, call, message) => {
    expect(call).toThrow(new TypeError(`${name}(): ${message}`))
  })

  it.each<[object | null, string]>([
    [null, 'Expected `options` to be an object, got null'],
    [{ format: 'xml' }, "Expected `format` to be 'sse', 'ndjson' or 'plain', got 'xml'"],
    [{ message: 'x' }, "Expected `message` to be a function, got 'x'"],
    [
      { onerror: () => 1 },
      'there is no option `onerror`; the options are `format`, `message`, `onAbort`, `onError`',
    ],
    [
      { format: 'ndjson', message: () => 1 },
      'there is no option `message`; the options are `format`, `onAbort`, `onError`',
    ],
    [
      { format: 'plain', contentType: '' },
      "Expected `contentType` to be a string with text in it, got ''",
    ],
    [
      { format: 'sse', contentType: 'text/plain' },
      'there is no option `contentType`; the options are `format`, `message`, `onAbort`, `onError`',
    ],
  ])('streamBatched refuses %o', async (options, message) => {
    const app = new Hono()
    app.use(heddle())
    async function* chunks(): AsyncGenerator<string> {
      yield 'x'
    }
    app.get('/', async (c: Context) => streamBatched(c, chunks(), any(options)))
    app.onError((error, c) => c.text(error.message, 500))
    expect(await (await app.request('/')).text()).toBe(`streamBatched(): ${message}`)
  })
})

describe('an option that comes from a prototype', () => {
  it('is looked at like one of its own', () => {
    class Defaults {
      get timeout(): number {
        return -5
      }
    }
    const inherited = [Object.create({ timeout: -5 }), new Defaults()] as object[]
    for (const options of inherited) {
      expect(() => heddle(options)).toThrow(
        'Expected `timeout` to be a number of ms above 0, got -5',
      )
    }
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
