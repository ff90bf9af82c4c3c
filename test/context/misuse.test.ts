/** Every way to use the context wrongly: its code and its message. */
import { createKey, current, detach, openBatchScope, run, runRequest } from '@heddle/context'
import { describe, expect, it } from 'vitest'

const name = createKey<string>('test.misuse.name')

function failureOf(call: () => unknown): { code: unknown; message: string } {
  try {
    call()
  } catch (error) {
    const { code, message } = error as Error & { code: unknown }
    return { code, message }
  }
  throw new Error('Expected a failure')
}

describe('outside a scope', () => {
  it.each([
    ['current', () => current(), 'the current scope'],
    ['getOrThrow', () => name.getOrThrow(), '`test.misuse.name`'],
    ['set', () => name.set('x'), '`test.misuse.name`'],
    ['setOnce', () => name.setOnce('x'), '`test.misuse.name`'],
  ])('%s names what is missing, the likely cause and the cure', (_name, call, wanted) => {
    const { code, message } = failureOf(call)
    expect(code).toBe('NO_SCOPE')
    expect(message).toContain(`No scope here, so ${wanted} is not available.`)
    expect(message).toContain('Likely cause: this code runs before `app.use(heddle())`')
    expect(message).toContain('Cure: open a scope first')
  })
})

describe('inside a scope', () => {
  it('getOrThrow without a value', () => {
    const { code, message } = failureOf(() => runRequest({}, () => name.getOrThrow()))
    expect(code).toBe('NO_VALUE')
    expect(message).toContain('`test.misuse.name` has no value in this scope.')
  })

  it('setOnce twice', () => {
    const { code, message } = failureOf(() =>
      runRequest({ id: 'r1', entries: [name.of('x')] }, () => name.setOnce('y')),
    )
    expect(code).toBe('ALREADY_SET')
    expect(message).toContain('`test.misuse.name` has a value already in scope `r1`.')
  })

  it('a key twice in the entries', () => {
    expect(failureOf(() => run([name.of('x'), name.of('y')], () => 1))).toEqual({
      code: 'DUPLICATE_KEY',
      message: 'Expected each key once in `entries`, got `test.misuse.name` twice',
    })
  })

  it('a key after the close', () => {
    const scope = runRequest({ id: 'r1' }, (opened) => opened)
    const { code, message } = failureOf(() => scope.get(name))
    expect(code).toBe('SCOPE_CLOSED')
    expect(message).toMatch(
      /^Scope `r1` was closed \d+\.\d ms ago, so `test\.misuse\.name` is gone\./,
    )
  })
})

describe('bad options', () => {
  it.each([
    [
      'a key without a name',
      () => createKey(''),
      "Expected a key's `name` to be a string with text in it, got ",
    ],
    [
      'a batch rule that is none',
      () => createKey('k', { batch: 'all' as 'same' }),
      "Expected `batch` of key `k` to be 'hide', 'partition', 'same' or a function, got all",
    ],
    [
      'an id that is none',
      () => runRequest({ id: '' }, () => 1),
      "runRequest(): Expected `id` to be a string with text in it, got ''",
    ],
    [
      'a signal that is none',
      () => runRequest({ signal: 'x' as unknown as AbortSignal }, () => 1),
      "runRequest(): Expected `signal` to be an AbortSignal, got 'x'",
    ],
    [
      'a timeout of 0',
      () => runRequest({ timeout: 0 }, () => 1),
      'runRequest(): Expected `timeout` to be a number of ms above 0, got 0',
    ],
    [
      'a timeout that is no number',
      () => runRequest({ timeout: Number.NaN }, () => 1),
      'runRequest(): Expected `timeout` to be a number of ms above 0, got NaN',
    ],
  ])('%s', (_case, call, message) => {
    expect(failureOf(call).message).toBe(message)
  })
})

/** In JavaScript anything may come. */
const any = (value: unknown): any => value

const ENTRIES = 'an iterable of entries, as `key.of(value)` makes them'

describe('wrong arguments', () => {
  it.each<[string, () => unknown, string]>([
    [
      'runRequest',
      () => runRequest(any(undefined), () => 1),
      'Expected the options to be an object, got undefined',
    ],
    [
      'runRequest',
      () => runRequest(any(null), () => 1),
      'Expected the options to be an object, got null',
    ],
    [
      'runRequest',
      () =>
        runRequest(
          any(() => 1),
          any(undefined),
        ),
      'Expected the options to be an object, got a function',
    ],
    [
      'runRequest',
      () => runRequest(any('r1'), () => 1),
      "Expected the options to be an object, got 'r1'",
    ],
    [
      'runRequest',
      () => runRequest(any([]), () => 1),
      'Expected the options to be an object, got an array',
    ],
    [
      'runRequest',
      () => runRequest({}, any(undefined)),
      'Expected `fn` to be a function, got undefined',
    ],
    [
      'runRequest',
      () => runRequest(any({ timout: 5 }), () => 1),
      'there is no option `timout`; the options are `id`, `entries`, `signal`, `timeout`, `closeWhen`',
    ],
    [
      'runRequest',
      () => runRequest(any({ constructor: 5 }), () => 1),
      'there is no option `constructor`; the options are `id`, `entries`, `signal`, `timeout`, `closeWhen`',
    ],
    [
      'runRequest',
      () => runRequest({ timeout: any('5000') }, () => 1),
      "Expected `timeout` to be a number of ms above 0, got '5000'",
    ],
    [
      'runRequest',
      () => runRequest({ timeout: -1 }, () => 1),
      'Expected `timeout` to be a number of ms above 0, got -1',
    ],
    [
      'runRequest',
      () => runRequest({ timeout: any(null) }, () => 1),
      'Expected `timeout` to be a number of ms above 0, got null',
    ],
    [
      'runRequest',
      () => runRequest({ id: any(7) }, () => 1),
      'Expected `id` to be a string with text in it, got 7',
    ],
    [
      'runRequest',
      () => runRequest({ entries: any(name.of('x')) }, () => 1),
      `Expected \`entries\` to be ${ENTRIES}, got an object`,
    ],
    [
      'runRequest',
      () => runRequest({ entries: any([name]) }, () => 1),
      'Expected `entries` to be entries, as `key.of(value)` makes them, got an object',
    ],
    [
      'runRequest',
      () => runRequest({ entries: any(new Map([[name, 'x']])) }, () => 1),
      'Expected `entries` to be entries, as `key.of(value)` makes them, got an array',
    ],
    [
      'runRequest',
      () => runRequest({ entries: any([undefined]) }, () => 1),
      'Expected `entries` to be entries, as `key.of(value)` makes them, got undefined',
    ],
    [
      'runRequest',
      () => runRequest({ closeWhen: any(() => 1) }, () => 1),
      'Expected `closeWhen` to be a promise, got a function',
    ],
    [
      'run',
      () => run(any(name.of('x')), () => 1),
      `Expected \`entries\` to be ${ENTRIES}, got an object`,
    ],
    ['run', () => run([], any('x')), "Expected `fn` to be a function, got 'x'"],
    [
      'detach',
      () => detach(any(Promise.resolve())),
      'Expected `fn` to be a function, got an object',
    ],
    [
      'detach',
      () => detach(() => 1, any({ keys: [name] })),
      'there is no option `keys`; the options are `keep`',
    ],
    [
      'detach',
      () => detach(() => 1, { keep: any(name) }),
      'Expected `keep` to be an array of keys, got an object',
    ],
    [
      'detach',
      () => detach(() => 1, { keep: any([name.of('x')]) }),
      'Expected `keep` to be an array of keys, got an array',
    ],
    [
      'openBatchScope',
      () => openBatchScope(any(undefined), { name: 'b' }),
      'Expected `members` to be an array of snapshots, got undefined',
    ],
    [
      'openBatchScope',
      () => openBatchScope([], any('b')),
      "Expected `options` to be an object with a name, got 'b'",
    ],
  ])('%s %#', (caller, call, message) => {
    expect(call).toThrow(new TypeError(`${caller}(): ${message}`))
  })

  it('leave no scope behind that something waits for', () => {
    expect(() => runRequest({ entries: any([1]) }, () => 1)).toThrow(TypeError)
    expect(failureOf(() => current()).code).toBe('NO_SCOPE')
  })
})

describe('a time-out of Infinity', () => {
  it('is none', () => {
    expect(runRequest({ timeout: Number.POSITIVE_INFINITY }, ({ deadline }) => deadline)).toBe(
      undefined,
    )
  })
})
