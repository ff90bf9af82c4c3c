/** Decides how long a batch that could start had better wait for more. One per batcher. */
export interface LingerPolicy {
  /** An item has joined the queue. */
  arrived(now: number): void
  /** A batch has started. */
  started(now: number, size: number): void
  /** A batch function has settled after `duration` ms; `size` callers were answered. */
  finished(now: number, size: number, duration: number): void
  /**
   * ms from now that the batch had better wait, 0 to start now. Asked when a slot is free, an item waits
   * and the batch is not full.
   */
  hold(now: number, waiting: number, inFlight: number): number
}
