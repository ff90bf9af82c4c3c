import { isBatcherError } from '@heddle/core'

/** Whole µs, as in spans; in ms. */
export function micros(milliseconds: number): number {
  return Math.round(milliseconds * 1e3) / 1e3
}

/** The code of a batcher's error, else the class: a message may have values in it. */
export function errorName(error: unknown): string {
  try {
    if (isBatcherError(error)) return error.code
    if (!(error instanceof Error)) return typeof error
    const { name }: { readonly name: unknown } = error
    return name === 'Error' ? error.constructor.name : String(name)
  } catch {
    // An app may reject with anything: a Proxy that is revoked, an Error whose getters throw.
    return typeof error
  }
}
