import { platform } from '@heddle/context/engine'

/** Whether `work` gives true in so many ms. It must have begun: its own timers then come first. */
export async function isTrueWithin(limit: number, work: Promise<boolean>): Promise<boolean> {
  const { promise: isOver, resolve } = Promise.withResolvers<false>()
  const cancel = after(limit, () => resolve(false))
  try {
    return await Promise.race([work, isOver])
  } finally {
    cancel()
  }
}

/** The longest delay of a timer, ms; Node fires a longer one at once. */
const MAX_DELAY = 2 ** 31 - 1

/** @returns what cancels it */
function after(delay: number, call: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (left: number): void => {
    timer = platform.setTimeout(
      () => {
        if (left > MAX_DELAY) arm(left - MAX_DELAY)
        else call()
      },
      Math.min(left, MAX_DELAY),
    )
  }
  arm(delay)
  return () => platform.clearTimeout(timer)
}
