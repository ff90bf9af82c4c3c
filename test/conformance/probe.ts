import { createKey } from '@heddle/context'

const who = createKey<string>('conformance.who')

/** Runs `fn` in the context of whoever has this name. */
export function inContextOf<R>(name: string, fn: () => R): R {
  return who.run(name, fn)
}

/** Runs `fn` as the owner: whoever makes the thing, or registers the callback. */
export function inA<R>(fn: () => R): R {
  return inContextOf('A', fn)
}

/** Runs `fn` as somebody else: whoever emits, resolves, reads, writes or aborts. */
export function inB<R>(fn: () => R): R {
  return inContextOf('B', fn)
}

/** As {@link inB}, once what A has made has started: a stream does that in a microtask of its maker. */
export function laterInB(fn: () => unknown): void {
  setTimeout(() => void inB(fn), 2)
}

/** Whose context this is: `A`, `B`, or `∅` for nobody's. */
export function seen(): string {
  return who.get() ?? '∅'
}

/** What the callback sees that `register` hands on. */
export function told(register: (callback: () => void) => unknown): Promise<string> {
  return new Promise((resolve) => {
    register(() => resolve(seen()))
  })
}

/** A promise of nobody that B resolves a moment later. */
export function resolvedByB(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  inB(() => setTimeout(resolve, 1))
  return promise
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
