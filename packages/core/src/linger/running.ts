/** A batch in flight. */
export interface Running {
  /** ms on the `performance.now()` clock. */
  readonly startedAt: number
  /** How many items it has. */
  readonly size: number
}
