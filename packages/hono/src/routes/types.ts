import type { TypedResponse } from 'hono'

import type { Problem } from '../problems.ts'

/** What a route answers when a batcher has no room for it, is closing, or takes too long. */
export type BatchResponse =
  | TypedResponse<OverloadProblem, 503, 'json'>
  | TypedResponse<DeadlineProblem, 504, 'json'>

export type OverloadProblem = Problem<503, 'QUEUE_FULL' | 'BATCHER_CLOSED'>

export type DeadlineProblem = Problem<504, 'DEADLINE_EXCEEDED'>
