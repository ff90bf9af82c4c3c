import { aBoolean, aFunction, aPositiveTime, oneOf, type OptionRule } from '@heddle/context/engine'
import type { Context } from 'hono'

import { assertOptions } from './assert-options.ts'
import { disclosesByDefault } from './disclosure.ts'

export interface RequestIdOptions {
  /**
   * The header that an id comes in and goes out by.
   *
   * @defaultValue `'X-Request-Id'`
   */
  readonly header?: string
  /**
   * Whether an incoming id is taken over, if it is a plausible one: 1 to 128 letters, digits or `_-=.`.
   *
   * @defaultValue `true`
   */
  readonly trust?: boolean
  /**
   * Makes an id for a request that brings none.
   *
   * @defaultValue a random UUID
   */
  readonly generate?: (c: Context) => string
}

export interface HeddleOptions {
  /**
   * Options for the request's id. `false`: no id is read from or written to a header; the scope's id is that of
   * a middleware before, else `<random>-<counter>`.
   *
   * @defaultValue `{}`
   */
  readonly requestId?: RequestIdOptions | false
  /**
   * ms from the request's arrival to its deadline, which holds for everything it submits. Infinity is none.
   *
   * @defaultValue none
   */
  readonly timeout?: number
  /**
   * Whether answers carry a `Server-Timing` header: `queue` and `run` of each item, `total` so far. It names
   * the batchers.
   *
   * @defaultValue `true` where `NODE_ENV` is `development`, else `false`
   */
  readonly serverTiming?: boolean
  /**
   * Whether clients get the messages of errors: as `detail` of problem documents, in the last event of a
   * stream, and as the message of the HTTPException. They may name what is internal, as a host or a query.
   *
   * @defaultValue `true` where `NODE_ENV` is `development`, else `false`
   */
  readonly details?: boolean
  /**
   * Whether errors of batchers become HTTP answers (RFC 9457 problem details).
   *
   * @defaultValue `true`
   */
  readonly problems?: boolean
  /**
   * The status of an answer to a request that found the queue full.
   *
   * @defaultValue 503
   */
  readonly overloadStatus?: 503 | 429
  /**
   * Whether batches are traced and the server span is named after the route. Without an OpenTelemetry
   * SDK it does nothing.
   *
   * @defaultValue `true`
   */
  readonly telemetry?: boolean
}

/** The options with their defaults. */
export interface Settings {
  /** `undefined` where the id neither comes in nor goes out. */
  readonly header: string | undefined
  readonly trust: boolean
  readonly generate: (c: Context) => string
  readonly timeout: number | undefined
  readonly serverTiming: boolean
  readonly details: boolean
  readonly problems: boolean
  readonly overloadStatus: 503 | 429
  readonly telemetry: boolean
}

/** @throws TypeError for an option that is not as described, or that there is not */
export function resolveOptions(options: HeddleOptions): Settings {
  assertOptions('heddle', options, RULES, 'app.use(heddle())')
  const { requestId = {} } = options
  if (requestId !== false) {
    assertOptions('heddle', requestId, REQUEST_ID_RULES, undefined, 'requestId')
  }
  const {
    timeout,
    serverTiming = disclosesByDefault(),
    details = disclosesByDefault(),
    problems = true,
    overloadStatus = 503,
    telemetry = true,
  } = options
  const {
    header = 'X-Request-Id',
    trust = true,
    generate = requestId === false ? countedId : randomId,
  } = requestId === false ? {} : requestId
  return {
    header: requestId === false ? undefined : header,
    trust,
    generate,
    timeout,
    serverTiming,
    details,
    problems,
    overloadStatus,
    telemetry,
  }
}

const RULES = {
  requestId: {
    expected: 'an object or false',
    holds: (value) => value === false || (typeof value === 'object' && value !== null),
  },
  timeout: aPositiveTime,
  serverTiming: aBoolean,
  details: aBoolean,
  problems: aBoolean,
  overloadStatus: oneOf(503, 429),
  telemetry: aBoolean,
} satisfies Record<keyof HeddleOptions, OptionRule>

const REQUEST_ID_RULES = {
  // RFC 9110, section 5.1: a field name is a token.
  header: {
    expected: 'the name of a header',
    holds: (value) => typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value),
  },
  trust: aBoolean,
  generate: aFunction,
} satisfies Record<keyof RequestIdOptions, OptionRule>

function randomId(): string {
  return crypto.randomUUID()
}

const instance = crypto.randomUUID().slice(-12)
let counted = 0

/** For ids that stay inside: a UUID costs a third of what the rest of the middleware does. */
function countedId(): string {
  counted += 1
  return `${instance}-${counted}`
}
