import { DataLoader } from '@heddle/core/dataloader'
import Original from 'dataloader'

import { turn } from '../../support/crank.ts'

/** What code that was written for `dataloader` uses of a loader. */
export type Loader<K, V> = Pick<
  Original<K, V>,
  'load' | 'loadMany' | 'clear' | 'clearAll' | 'prime' | 'name'
>

/** The class as such code knows it. Both classes must be assignable to it. */
export type LoaderClass = new <K, V, C = K>(
  batchLoadFn: (keys: readonly K[]) => PromiseLike<ArrayLike<V | Error>>,
  options?: Original.Options<K, V, C>,
) => Loader<K, V>

export const original: LoaderClass = Original
export const ours: LoaderClass = DataLoader
export const both: [name: string, Class: LoaderClass][] = [
  ['dataloader', original],
  ['@heddle/core/dataloader', ours],
]

/** A loader of the keys themselves, and the batches it has made. */
export function echoing<K, C = K>(
  Class: LoaderClass,
  options?: Original.Options<K, K, C>,
): { readonly loader: Loader<K, K>; readonly batches: (readonly K[])[] } {
  const batches: (readonly K[])[] = []
  const load = async (keys: readonly K[]): Promise<readonly K[]> => {
    batches.push(keys)
    return keys
  }
  return { loader: new Class<K, K, C>(load, options), batches }
}

/** Whether the promise is settled, once everything has run that needs no time. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = (): void => {
    settled = true
  }
  promise.then(note, note)
  await turn()
  return settled
}

/** What the promise was rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('Expected a rejection, got a value')
}
