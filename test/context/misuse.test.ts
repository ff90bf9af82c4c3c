/** Every way to use the context wrongly: its code and its message. */
import { createKey, current, run, runRequest } from '@heddle/context'
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
      'Expected `id` to be a string with text in it, got ',
    ],
    [
      'a signal that is none',
      () => runRequest({ signal: 'x' as unknown as AbortSignal }, () => 1),
      'Expected `signal` to be an AbortSignal, got x',
    ],
    [
      'a timeout of 0',
      () => runRequest({ timeout: 0 }, () => 1),
      'Expected `timeout` to be a number of ms above 0, got 0',
    ],
    [
      'a timeout that is no number',
      () => runRequest({ timeout: Number.NaN }, () => 1),
      'Expected `timeout` to be a number of ms above 0, got NaN',
    ],
  ])('%s', (_case, call, message) => {
    expect(failureOf(call).message).toBe(message)
  })
})
