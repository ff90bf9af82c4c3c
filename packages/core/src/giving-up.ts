import { BatcherError } from './errors.ts'
import type { Item } from './item.ts'

/** What the engine tells a caller whose deadline has passed, or is sure to. */
export function deadlineExceeded(
  { submittedAt, deadline, execution }: Item<any, any>,
  batcher: string,
  now: number,
): BatcherError {
  const waited = `${(now - submittedAt).toFixed(1)} ms after the submit`
  const where = execution ? 'its batch was running' : 'it was waiting for a batch'
  const isOver = deadline !== undefined && deadline <= now
  return new BatcherError(
    'DEADLINE_EXCEEDED',
    batcher,
    isOver
      ? `Batcher \`${batcher}\`: the deadline passed ${waited}, while ${where}`
      : `Batcher \`${batcher}\`: ${waited} too little time was left to run it before its deadline, as batches go`,
  )
}

/** What the engine tells a caller who still waits when `close({ timeout })` has run out. */
export function closedEarly(batcher: string): BatcherError {
  return new BatcherError(
    'BATCHER_CLOSED',
    batcher,
    `Batcher \`${batcher}\`: it was closed before this item had settled`,
  )
}
