import { wrap } from '../mends.ts'
import { inA, inB, resolvedByB, seen, sleep, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

/** Settles in B, a moment later. */
function rejectedByB(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  inB(() => setTimeout(() => reject(new Error('B')), 1))
  return promise
}

class OwnPromise<T> extends Promise<T> {}

/** A promise of the user's own making: it calls back in whichever context it is resolved. */
class StoringThenable implements PromiseLike<void> {
  readonly #callbacks: (() => void)[] = []

  // oxlint-disable-next-line unicorn/no-thenable -- it is what these rows are about
  then(callback?: ((value: void) => any) | null): this & PromiseLike<any> {
    if (callback) this.#callbacks.push(callback)
    return this
  }

  resolve(): void {
    for (const callback of this.#callbacks) callback()
  }
}

/** Notes what its `then` sees, and resolves in B. */
function noting(note: (seen: string) => void): PromiseLike<void> {
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- it is what these rows are about
    then(onFulfilled): PromiseLike<any> {
      note(seen())
      inB(() => setTimeout(() => void onFulfilled?.(), 1))
      return Promise.resolve()
    },
  }
}

export const promises: Group = {
  title: 'Promises',
  rows: [
    row('`await` of a settled promise', 'A', () =>
      inA(async () => {
        await Promise.resolve()
        return seen()
      }),
    ),
    row('`await` of a promise that B resolves', 'A', () =>
      inA(async () => {
        await resolvedByB()
        return seen()
      }),
    ),
    row('`await` of a promise that B rejects', 'A', () =>
      inA(async () => {
        await rejectedByB().catch(() => {})
        return seen()
      }),
    ),
    row('`then` callback, resolved by B', 'A', () => inA(() => resolvedByB().then(seen))),
    row('`catch` callback, rejected by B', 'A', () => inA(() => rejectedByB().catch(seen))),
    row('`finally` callback, resolved by B', 'A', () =>
      told((tell) => inA(() => resolvedByB().finally(tell))),
    ),
    row('`then` of nobody on a promise that A made', '∅', () => {
      const promise = inA(() => sleep(1).then(() => sleep(1)))
      return promise.then(seen)
    }),
    row('`Promise.all`, members resolved by B', 'A', () =>
      inA(async () => {
        await Promise.all([resolvedByB(), resolvedByB()])
        return seen()
      }),
    ),
    row('`Promise.allSettled`, members rejected by B', 'A', () =>
      inA(async () => {
        await Promise.allSettled([rejectedByB()])
        return seen()
      }),
    ),
    row('`Promise.race`, won by B', 'A', () =>
      inA(async () => {
        await Promise.race([resolvedByB(), sleep(50)])
        return seen()
      }),
    ),
    row('`Promise.any`, won by B', 'A', () =>
      inA(async () => {
        await Promise.any([rejectedByB(), resolvedByB()])
        return seen()
      }),
    ),
    row('`await` of a subclass of `Promise`', 'A', () =>
      inA(async () => {
        await new OwnPromise<void>((resolve) => {
          inB(() => setTimeout(resolve, 1))
        })
        return seen()
      }),
    ),
    row('`for await` over promises that B resolves', 'A', () =>
      inA(async () => {
        for await (const _ of [resolvedByB()]) return seen()
        return 'none'
      }),
    ),
    row('inside `then` of a thenable, by `await`', 'A', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      void inA(async () => await noting(resolve))
      return promise
    }),
    row(
      'inside `then` of a thenable, returned from an async function',
      'A',
      () => {
        const { promise, resolve } = Promise.withResolvers<string>()
        void inA(async () => {
          await Promise.resolve()
          return noting(resolve)
        })
        return promise
      },
      { issues: ['oven-sh/bun#34266'] },
    ),
    row('inside `then` of a thenable, by `Promise.resolve`', 'A', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      void inA(() => Promise.resolve(noting(resolve)))
      return promise
    }),
    row('`await` of a thenable that B resolves', 'A', () =>
      inA(async () => {
        await noting(() => {})
        return seen()
      }),
    ),
    mendedRow(
      '`then` callback of a thenable that keeps it, called by B',
      'A',
      wrap,
      (wrapped) => {
        const thenable = new StoringThenable()
        const saw = told((tell) => inA(() => thenable.then(wrapped(tell))))
        inB(() => thenable.resolve())
        return saw
      },
      { why: 'A thenable is an event emitter that looks like a promise: ours are native (R4).' },
    ),
    row('`Symbol.asyncDispose`, after an `await` in it', 'A', () =>
      inA(async () => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const resource = {
          async [Symbol.asyncDispose](): Promise<void> {
            await resolvedByB()
            resolve(seen())
          },
        }
        // Called by hand: not every runtime here has `await using`.
        await resource[Symbol.asyncDispose]()
        return promise
      }),
    ),
    row('`Atomics.waitAsync`, notified by B', 'A', () => {
      const cell = new Int32Array(new SharedArrayBuffer(4))
      return inA(async () => {
        const { value } = Atomics.waitAsync(cell, 0, 0)
        inB(() => setTimeout(() => Atomics.notify(cell, 0), 1))
        await value
        return seen()
      })
    }),
    row('`WebAssembly.compile`', 'A', () =>
      inA(async () => {
        await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))
        return seen()
      }),
    ),
  ],
}
