import {
  type Carrier,
  createKey,
  runCarrier,
  runRequest,
  toCarrier,
  tryCurrent,
} from '@heddle/context'
import { describe, expect, it } from 'vitest'

import { until } from '../support/crank.ts'

const text = { encode: (value: string) => value, decode: (value: string) => value }
const tenant = createKey<string>('test.carrier.tenant', { carry: text })
const budget = createKey<number>('test.carrier.budget', {
  carry: {
    encode: String,
    decode(value) {
      const number = Number(value)
      if (Number.isNaN(number)) throw new TypeError(`${value} is no number`)
      return number
    },
  },
})
const odd = createKey<string>('test.carrier.odd.\uD800', { carry: text })
const local = createKey<string>('test.carrier.local')
const small = createKey<string>('test.carrier.small', { carry: { ...text, maxBytes: 4 } })

describe('toCarrier and runCarrier', () => {
  it('take the values of keys with `carry` along, the id and the time that is left', () => {
    const value = 'ümlaut, "quoted"; =%\n'
    const carrier = runRequest(
      {
        id: 'r1',
        timeout: 1_000,
        entries: [tenant.of(value), budget.of(7), local.of('stays here')],
      },
      () => toCarrier(),
    )
    expect(carrier).toEqual({
      v: 1,
      id: 'r1',
      entries: [
        ['test.carrier.tenant', encodeURIComponent(value)],
        ['test.carrier.budget', '7'],
      ],
      deadlineMs: expect.any(Number),
    })
    const arrived = structuredClone(JSON.parse(JSON.stringify(carrier)) as Carrier)
    const seen = runCarrier(arrived, () => {
      const scope = tryCurrent()
      return [scope?.id, scope?.kind, tenant.get(), budget.get(), local.get(), scope?.deadline]
    })
    expect(seen).toEqual(['r1', 'request', value, 7, undefined, expect.any(Number)])
  })

  it('work for a scope that is named, and need one', () => {
    const carrier = runRequest({ id: 'r1' }, (scope) => toCarrier(scope))
    expect(carrier).toEqual({ v: 1, id: 'r1', entries: [] })
    expect(() => toCarrier()).toThrow(expect.objectContaining({ code: 'NO_SCOPE' }))
  })

  it('leave out what is too large for its key or for W3C Baggage', () => {
    const carrier = runRequest({ entries: [small.of('12345'), tenant.of('x'.repeat(9_000))] }, () =>
      toCarrier(),
    )
    expect(carrier.entries).toEqual([])
    expect(runRequest({ entries: [small.of('1234')] }, () => toCarrier()).entries).toHaveLength(1)
  })

  it('open a scope whose deadline passes at once when it has passed on the way', async () => {
    const carrier: Carrier = { v: 1, id: 'r1', entries: [], deadlineMs: 0 }
    await runCarrier(carrier, async () => {
      const signal = tryCurrent()?.signal
      await until(() => signal?.aborted === true)
      expect(signal?.reason).toMatchObject({ name: 'TimeoutError' })
    })
  })

  it('pass over names that no key here has', () => {
    const carrier: Carrier = {
      v: 1,
      id: 'r1',
      entries: [
        ['somebody.elses', 'x'],
        ['test.carrier.local', 'x'],
      ],
    }
    expect(runCarrier(carrier, () => [tenant.get(), local.get()])).toEqual([undefined, undefined])
  })

  it('take any text along: a surrogate without its other half, in values, names and ids', () => {
    const values = ['\uD800', 'a\uDFFFb', '\uDC00\uD800', '😀\uD83D', '%ED%A0%80', '\uDBFF%']
    for (const value of values) {
      const carrier = runRequest(
        { id: `r${value}`, entries: [tenant.of(value), odd.of(value), budget.of(7)] },
        () => toCarrier(),
      )
      expect(carrier.id).toMatch(/^r[\u0020-\u007E]+$/)
      const arrived = JSON.parse(JSON.stringify(carrier)) as Carrier
      const seen = runCarrier(arrived, () => [tenant.get(), odd.get(), budget.get()])
      expect(seen).toEqual([value, value, 7])
    }
    // Different values stay different.
    const texts = values.map((value) =>
      JSON.stringify(runRequest({ id: 'r', entries: [tenant.of(value)] }, () => toCarrier())),
    )
    expect(new Set(texts).size).toBe(values.length)
  })

  it('count such text as the bytes that it takes', () => {
    const entries = [small.of('\uD800'), tenant.of('kept')]
    expect(runRequest({ id: 'r', entries }, () => toCarrier()).entries).toEqual([
      ['test.carrier.tenant', 'kept'],
    ])
  })

  it.each<[string, () => unknown, object]>([
    ['nothing', () => undefined, {}],
    ['a number', () => 7, {}],
    ['a promise', async () => 'text', {}],
    [
      'an error',
      () => {
        throw new RangeError('no such tenant')
      },
      { cause: expect.objectContaining({ message: 'no such tenant' }) },
    ],
  ])('name the key whose `encode` gives %s', (what, encode, details) => {
    const name = `test.carrier.wrong ${what}`
    const wrong = createKey<string>(name, { carry: { ...text, encode: encode as () => string } })
    runRequest({ entries: [wrong.of('value'), tenant.of('acme')] }, () => {
      expect(() => toCarrier()).toThrow(
        expect.objectContaining({
          code: 'INVALID_CARRIER',
          message: expect.stringContaining(`\`${name}\``),
          ...details,
        }),
      )
    })
    // Where it has no value, it is not asked.
    expect(runRequest({ entries: [tenant.of('acme')] }, () => toCarrier()).entries).toHaveLength(1)
  })
})

describe('a carrier that is malformed or hostile', () => {
  const good = { v: 1, id: 'r1', entries: [] }
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'carrier'],
    ['an array', []],
    ['another version', { ...good, v: 2 }],
    ['no id', { ...good, id: undefined }],
    ['an empty id', { ...good, id: '' }],
    ['an id that would break a log line', { ...good, id: 'a\nb' }],
    ['a very long id', { ...good, id: 'x'.repeat(300) }],
    ['no entries', { ...good, entries: undefined }],
    ['entries that are no array', { ...good, entries: { 0: ['a', 'b'], length: 1 } }],
    ['an entry that is no pair', { ...good, entries: [['a']] }],
    ['an entry with three parts', { ...good, entries: [['a', 'b', 'c']] }],
    ['an entry that is no text', { ...good, entries: [['a', 1]] }],
    ['a hole', { ...good, entries: Array.from({ length: 1 }) }],
    [
      'a name twice',
      {
        ...good,
        entries: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
    ],
    ['too many entries', { ...good, entries: Array.from({ length: 65 }, (_, n) => [`k${n}`, '']) }],
    ['too many bytes', { ...good, entries: [['a', 'x'.repeat(8_200)]] }],
    ['a broken percent sign', { ...good, entries: [['test.carrier.tenant', '%E0%A4%A']] }],
    ['half of a surrogate', { ...good, entries: [['test.carrier.tenant', '%ED%A0']] }],
    ['bytes that are no text', { ...good, entries: [['test.carrier.tenant', '%ED%A0%7F']] }],
    [
      'a value that its key cannot decode',
      { ...good, entries: [['test.carrier.budget', 'seven']] },
    ],
    ['a broken traceparent', { ...good, traceparent: '00-abc-def-01' }],
    ['a traceparent that is no text', { ...good, traceparent: 7 }],
    ['a deadline that is no number', { ...good, deadlineMs: 'soon' }],
    ['a deadline in the past', { ...good, deadlineMs: -1 }],
    ['a deadline that is NaN', { ...good, deadlineMs: Number.NaN }],
  ])('is refused: %s', (_case, carrier) => {
    let called = false
    const attempt = (): void => runCarrier(carrier as Carrier, () => void (called = true))
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_CARRIER' }))
    expect(called).toBe(false)
  })

  it('never writes to a prototype', () => {
    const hostile = JSON.parse(
      '{"v":1,"id":"r1","entries":[["__proto__","polluted"],["constructor","polluted"],["toString","x"]],"__proto__":{"polluted":true}}',
    ) as Carrier
    const json = runCarrier(hostile, () => JSON.stringify(tryCurrent()))
    expect(json).not.toContain('polluted')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.prototype.toString.call({})).toBe('[object Object]')
  })
})
