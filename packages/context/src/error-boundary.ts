import { describe } from './describe.ts'
import { handleRejection } from './rejections.ts'
import { warn } from './warning.ts'

/**
 * Calls the code of one instrumentation, so that nothing it does reaches a caller (R11). What it throws,
 * or what its promise rejects with, is reported once for each of its parts.
 */
export class ErrorBoundary {
  readonly #owner: string | undefined
  readonly #failed = new Set<string>()

  /** @param owner - whose code it is, for the report; `undefined` if it has no name */
  constructor(owner: string | undefined) {
    this.#owner = owner
  }

  /**
   * @param part - what is called, for the report
   * @param target - the argument of `fn`, so that a call for each item needs no closure
   * @returns what `fn` returns; `undefined` if it throws
   */
  run<R>(part: string, fn: () => R): R | undefined
  run<R, T>(part: string, fn: (target: T) => R, target: T): R | undefined
  run<R, T>(part: string, fn: (target: T | undefined) => R, target?: T): R | undefined {
    try {
      const value = fn(target)
      if (typeof value === 'object') this.#handle(part, value)
      return value
    } catch (error) {
      this.report(part, error)
      return undefined
    }
  }

  /**
   * Runs `fn` through `enter`, which makes something active around it. `fn` runs once and at once, whether
   * `enter` throws, calls it never, late or twice. What `fn` returns or throws is its caller's alone.
   */
  enter<R>(part: string, enter: (fn: () => R) => unknown, fn: () => R): R {
    let isCalled = false
    let outcome: { readonly value: R } | { readonly error: unknown } | undefined
    const call = (): R => {
      if (!isCalled) {
        isCalled = true
        try {
          outcome = { value: fn() }
        } catch (error) {
          outcome = { error }
        }
      }
      // `enter` has no part in a failure of `fn`, so it need not know of it.
      return (outcome && 'value' in outcome ? outcome.value : undefined) as R
    }
    try {
      const entered = enter(call)
      const value = call()
      if (entered !== value) this.#watch(part, entered, value)
    } catch (error) {
      this.report(part, error)
    }
    const value = call()
    if (outcome !== undefined && 'error' in outcome) throw outcome.error
    return value
  }

  /** Names the culprit on `heddle:warning`, once per part. */
  report(part: string, error: unknown): void {
    if (this.#failed.has(part)) return
    this.#failed.add(part)
    const owner = this.#owner
    warn(
      'HOOK_FAILED',
      owner === undefined ? part : `${owner} ${part}`,
      `\`${part}\` of ${owner === undefined ? 'an instrument without a name' : `\`${owner}\``} failed: ` +
        `${describe(error)}. It was passed over and changes no result; its next failures are not reported.`,
      error,
    )
  }

  /** Nobody awaits it, and an unhandled rejection ends the process. Apart, so that it costs a closure only then. */
  #handle(part: string, value: unknown): void {
    handleRejection(value, (error) => this.report(part, error))
  }

  /** Reports what `entered` rejects with, unless it hands on the rejection of `value`. */
  #watch(part: string, entered: unknown, value: unknown): void {
    if (typeof entered !== 'object' || entered === null) return
    let passed: { readonly error: unknown } | undefined
    handleRejection(value, (error) => {
      passed = { error }
    })
    Promise.resolve(entered).then(undefined, (error: unknown) => {
      if (passed === undefined || !Object.is(passed.error, error)) this.report(part, error)
    })
  }
}
