import { excuse, isExcused } from '../unobserved.ts'
import { originOf } from './origins.ts'

/** What may take the place of how a promise has ended. */
export interface Retry<T> {
  /** @returns another promise to end as; `undefined` if that is to be passed on */
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
  const end = (pass: () => void): void => {
    let instead: Promise<T> | undefined
    try {
      instead = retry?.again()
    } catch (failure) {
      target.reject(failure)
      return
    } finally {
      retry?.release()
    }
    if (instead) follow(instead, target)
    else pass()
  }
  source.then(
    (value) => end(() => target.resolve(value)),
    (error: unknown) =>
      end(() => {
        if (isExcused(originOf(source))) excuse(target.promise)
        target.reject(error)
      }),
  )
}
