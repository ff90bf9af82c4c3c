import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { HTTPException } from 'hono/http-exception'

import { type Problem, problemException, problemOf, type ProblemOptions } from '../problems.ts'

/** What a route answers to input that its schema rejects: RFC 9457 with what is wrong, and where. */
export interface InvalidInput extends Problem<400, 'INVALID_INPUT'> {
  readonly errors: readonly InvalidPart[]
}

export interface InvalidPart {
  /** What the validator says. */
  readonly detail: string
  /** A JSON pointer (RFC 6901) as a URI fragment; `#` is the whole input. */
  readonly pointer: string
}

export function invalidInput(
  issues: readonly StandardSchemaV1.Issue[],
  options: ProblemOptions,
): HTTPException {
  const cause = new Error('The input is not as its schema says', { cause: issues })
  const problem: InvalidInput = {
    ...problemOf(400, 'INVALID_INPUT', cause, options),
    errors: issues.map(({ message, path = [] }) => ({
      detail: message,
      pointer: ['#', ...path.map(token)].join('/'),
    })),
  }
  return problemException(problem, cause)
}

function token(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  const key = typeof segment === 'object' ? segment.key : segment
  return encodeURIComponent(String(key).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))
}
