import {
  bindAsyncIterable,
  bindReadableStream,
  onAbort,
  runNeutral,
  Snapshot,
  wrapListener,
} from '@heddle/context'

export interface Mend<Wrapper> {
  /** As users know it. */
  readonly name: string
  /** Whose context it brings. */
  readonly gives: string
  /** The same call without our doing. */
  readonly without: Wrapper
  readonly by: Wrapper
}

type Same = <T>(thing: T) => T
type WrapFunction = <F extends (...args: any[]) => any>(fn: F) => F

const same: Same = (thing) => thing

/** For a callback that is called later, by whomever. */
export const wrap: Mend<WrapFunction> = {
  name: 'Snapshot.wrap',
  gives: 'A',
  without: same,
  by: (fn) => Snapshot.capture().wrap(fn),
}

/** For a listener, which must be found again to be taken off. */
export const listener: Mend<WrapFunction> = {
  name: 'wrapListener',
  gives: 'A',
  without: same,
  by: wrapListener,
}

/** The same where it is B who registers. */
export const listenerOfB: Mend<WrapFunction> = { ...listener, gives: 'B' }

export const abort: Mend<(signal: AbortSignal, fn: () => void) => void> = {
  name: 'onAbort',
  gives: 'A',
  without: (signal, fn) => signal.addEventListener('abort', fn, { once: true }),
  by: onAbort,
}

export const iterable: Mend<<T>(source: AsyncIterable<T>) => AsyncIterable<T>> = {
  name: 'bindAsyncIterable',
  gives: 'A',
  without: same,
  by: (source) => bindAsyncIterable(source),
}

export const stream: Mend<<T>(source: ReadableStream<T>) => ReadableStream<T>> = {
  name: 'bindReadableStream',
  gives: 'A',
  without: same,
  by: (source) => bindReadableStream(source),
}

/** For what must belong to nobody. */
export const neutral: Mend<<R>(fn: () => R) => R> = {
  name: 'runNeutral',
  gives: '∅',
  without: (fn) => fn(),
  by: runNeutral,
}
