import type { StepResult } from './continuous-options.ts'

/** What a step has made for one item, copied from what the user's function has returned. */
export interface Progress<C> {
  readonly chunks: readonly C[]
  readonly isDone: boolean
  readonly error: Error | undefined
}

/**
 * @returns what a step has made for each of `count` items, or what is wrong with its results
 * @throws what reading them throws
 */
export function progressOf<C>(values: unknown, count: number): readonly Progress<C>[] | string {
  const expected = `Expected \`step\` to return one result per active item: ${count}`
  if (!Array.isArray(values)) return `${expected}, got no array but ${typeof values}`
  if (values.length !== count) return `${expected}, got ${values.length}`
  const progress: Progress<C>[] = []
  for (let index = 0; index < count; index += 1) {
    const one = oneOf<C>(values[index])
    if (typeof one === 'string') return `Expected result ${index} of \`step\` to be ${one}`
    progress.push(one)
  }
  return progress
}

function oneOf<C>(value: unknown): Progress<C> | string {
  if (value === undefined) return nothing
  if (typeof value !== 'object' || value === null) {
    return `an object or undefined, got ${value === null ? 'null' : typeof value}`
  }
  const { chunk, chunks, done, error } = value as NonNullable<StepResult<C>>
  if (chunks !== undefined && !Array.isArray(chunks)) {
    return `one with an array of \`chunks\`, got ${typeof chunks}`
  }
  if (error !== undefined && !(error instanceof Error)) {
    return `one with an Error as \`error\`, got ${typeof error}`
  }
  const first = chunk === undefined ? [] : [chunk]
  return {
    chunks: chunks === undefined ? first : [...first, ...chunks],
    isDone: done === true,
    error,
  }
}

const nothing: Progress<never> = { chunks: [], isDone: false, error: undefined }
