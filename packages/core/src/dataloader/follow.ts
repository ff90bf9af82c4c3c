import { excuse, isExcused } from '../unobserved.ts'

/** What may take the place of a rejection. */
export interface Retry<T> {
  /** @returns another promise to end as; `undefined` if the rejection is to be passed on */
  again(): Promise<T> | undefined
  /** It is not needed any more. */
  release(): void
}

/**
 * Ends `target` as `source` ends. Nobody has to look at a rejection of it exactly if nobody has to look at that of
 * `source`: this function does look at `source`, so nobody else would hear of an error of the batch function.
 */
export function follow<T>(
  source: Promise<T>,
  target: PromiseWithResolvers<T>,
  retry?: Retry<T>,
): void {
  source.then(
    (value) => {
      retry?.release()
      target.resolve(value)
    },
    (error: unknown) => {
      let instead: Promise<T> | undefined
      try {
        instead = retry?.again()
      } catch (failure) {
        target.reject(failure)
        return
      } finally {
        retry?.release()
      }
      if (instead) {
        follow(instead, target)
        return
      }
      if (isExcused(source)) excuse(target.promise)
      target.reject(error)
    },
  )
}
