import { BatcherError } from '../errors.ts'

/** What both kinds of stream batchers bound. */
export interface StreamBounds {
  readonly maxBuffered: number
  readonly maxStall: number
}

/** @throws BatcherError `INVALID_OPTION` */
export function assertStreamOptions(
  name: string,
  { maxBuffered, maxStall, ...others }: StreamBounds,
): void {
  // Two consumers of one stream would each have to hold the other back.
  for (const option of ['dedupeBy', 'onFailure']) {
    if (!(option in others)) continue
    const got: unknown = Reflect.get(others, option)
    throw refusal(name, option, 'left out: a stream is for one consumer', got)
  }
  assertBounds(name, { maxBuffered, maxStall })
}

const CONTINUOUS: ReadonlySet<string> = new Set([
  'name',
  'maxActive',
  'maxBuffered',
  'maxStall',
  'start',
  'step',
  'end',
  'cost',
  'maxQueueSize',
  'timeout',
  'partitionBy',
  'tenantBy',
  'ageing',
  'strictStores',
])

/** @throws BatcherError `INVALID_OPTION` */
export function assertContinuousOptions(
  name: string,
  options: StreamBounds & { readonly maxActive: number },
): void {
  for (const option of Object.keys(options)) {
    if (CONTINUOUS.has(option)) continue
    const known = [...CONTINUOUS].join('`, `')
    throw invalid(name, `there is no option \`${option}\`; the options are \`${known}\``)
  }
  for (const option of ['start', 'step', 'end']) {
    const value: unknown = Reflect.get(options, option)
    if (typeof value === 'function' || (option === 'end' && value === undefined)) continue
    throw refusal(name, option, 'a function', value)
  }
  const { maxActive } = options
  const isCount = Number.isInteger(maxActive) || maxActive === Number.POSITIVE_INFINITY
  if (!isCount || maxActive < 1) {
    throw refusal(name, 'maxActive', 'a whole number of at least 1', maxActive)
  }
  assertBounds(name, options)
}

function assertBounds(name: string, { maxBuffered, maxStall }: StreamBounds): void {
  if (!Number.isInteger(maxBuffered) || maxBuffered < 1) {
    throw refusal(name, 'maxBuffered', 'a whole number of at least 1', maxBuffered)
  }
  if (typeof maxStall !== 'number' || !(maxStall >= 0)) {
    throw refusal(name, 'maxStall', 'a number of ms of at least 0', maxStall)
  }
}

function refusal(name: string, option: string, expected: string, got: unknown): BatcherError {
  const value = typeof got === 'object' && got !== null ? 'an object' : String(got)
  return invalid(name, `Expected \`${option}\` to be ${expected}, got ${value}`)
}

function invalid(name: string, message: string): BatcherError {
  return new BatcherError('INVALID_OPTION', name, `Batcher \`${name}\`: ${message}`)
}
