import type { Context } from 'hono'

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
   * How a request's id comes in and goes out; with `false` it does neither, and each request gets a new
   * one, made of a random part of the process's and a number, or that of a middleware before.
   */
  readonly requestId?: RequestIdOptions | false
  /**
   * ms from the request's arrival to its deadline, which holds for everything it submits.
   *
   * @defaultValue none
   */
  readonly timeout?: number
  /**
   * Whether answers carry a `Server-Timing` header: `queue` and `run` of each item, `total` so far.
   *
   * @defaultValue `true`, in production `false`
   */
  readonly serverTiming?: boolean
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
  readonly problems: boolean
  readonly overloadStatus: 503 | 429
  readonly telemetry: boolean
}

export function resolveOptions(options: HeddleOptions): Settings {
  const {
    requestId = {},
    timeout,
    serverTiming = process.env.NODE_ENV !== 'production',
    problems = true,
    overloadStatus = 503,
    telemetry = true,
  } = options
  const {
    header = 'X-Request-Id',
    trust = true,
    generate = requestId === false ? countedId : randomId,
  } = requestId === false ? {} : requestId
  expectThat(isHeaderName(header), 'requestId.header', 'the name of a header', header)
  expectThat(typeof trust === 'boolean', 'requestId.trust', 'a boolean', trust)
  expectThat(typeof generate === 'function', 'requestId.generate', 'a function', generate)
  expectThat(timeout === undefined || timeout > 0, 'timeout', 'a number of ms above 0', timeout)
  expectThat(typeof serverTiming === 'boolean', 'serverTiming', 'a boolean', serverTiming)
  expectThat(typeof problems === 'boolean', 'problems', 'a boolean', problems)
  expectThat([503, 429].includes(overloadStatus), 'overloadStatus', '503 or 429', overloadStatus)
  expectThat(typeof telemetry === 'boolean', 'telemetry', 'a boolean', telemetry)
  return {
    header: requestId === false ? undefined : header,
    trust,
    generate,
    timeout,
    serverTiming,
    problems,
    overloadStatus,
    telemetry,
  }
}

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

/** RFC 9110, section 5.1: a field name is a token. */
function isHeaderName(name: unknown): boolean {
  return typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name)
}

function expectThat(holds: boolean, option: string, what: string, value: unknown): void {
  if (!holds) {
    throw new TypeError(`heddle(): Expected \`${option}\` to be ${what}, got ${String(value)}`)
  }
}
