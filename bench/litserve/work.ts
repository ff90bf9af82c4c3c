/** What the services are asked to do, and what the right answer is. */
export type Work = 'sleep' | 'matmul'

/** How long a batch sleeps, whatever its size. */
export const BATCH_MS = 5
/** Of the matrix that model.py writes. */
export const SIZE = 512

export interface Answer {
  readonly output: number
  /** How many requests were in its batch. */
  readonly size: number
}

/** Whether an answer is right; a product in float32 is only near it. */
export function isRight(work: Work, input: number, { output }: Answer): boolean {
  if (work === 'sleep') return output === input * input
  let columnSum = 0
  for (let row = 0; row < SIZE; row += 1) columnSum += ((row * SIZE) % 13) / 13
  return Math.abs(output - input * columnSum) <= 1e-4 * Math.abs(output)
}
