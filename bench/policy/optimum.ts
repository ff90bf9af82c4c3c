import { MAX_BATCH_SIZE, type Service } from './service.ts'

/** Longer queues are taken for this long. */
const LONGEST_QUEUE = 300

/** What the best policy does for Poisson arrivals. */
export interface Optimum {
  /** ms from submit to answer. */
  readonly mean: number
  /** Items with which it starts a batch. */
  readonly threshold: number
}

/**
 * The least mean latency that any policy can have that does not see the future, for Poisson arrivals and one slot: the
 * semi-Markov decision process with the queue length as its state, solved by policy iteration (Howard). Its two actions
 * are to start a batch of all that wait, up to the maximum, and to wait for the next arrival; the cost is the number of
 * callers that wait or are served, and the mean latency follows by Little's law.
 *
 * @param rate - arrivals per ms
 */
export function optimum(rate: number, { fixed, perItem }: Service): Optimum {
  const states = LONGEST_QUEUE + 1
  const runTime = (queue: number): number => fixed + perItem * Math.min(queue, MAX_BATCH_SIZE)
  const arriving = Array.from({ length: MAX_BATCH_SIZE + 1 }, (_, size) =>
    poissonWeights(rate * runTime(size), states),
  )
  let starts = Array.from({ length: states }, (_, queue) => queue > 0)
  for (;;) {
    const rows = starts.map((isStart, queue) => (isStart ? startRow(queue) : waitRow(queue)))
    const solution = solve(rows)
    const [cost = 0] = solution
    const value = (queue: number): number => (queue === 0 ? 0 : (solution[queue] ?? 0))
    const worth = (row: Float64Array, queue: number): number => {
      // The row says: value(queue) − Σ p·value(next) + cost·time = costs until then.
      let rest = row[states] ?? 0
      rest -= (row[0] ?? 0) * cost
      for (let next = 1; next < states; next += 1) {
        if (next !== queue) rest -= (row[next] ?? 0) * value(next)
      }
      return rest / (queue === 0 ? 1 : (row[queue] ?? 1))
    }
    const better = starts.map((isStart, queue) => {
      if (queue === 0) return false
      if (queue >= MAX_BATCH_SIZE) return true
      const gain = worth(waitRow(queue), queue) - worth(startRow(queue), queue)
      return Math.abs(gain) < 1e-9 ? isStart : gain > 0
    })
    if (better.every((isStart, queue) => isStart === starts[queue])) {
      return { mean: cost / rate, threshold: starts.indexOf(true) }
    }
    starts = better
  }

  /** Column 0 stands for the cost per ms, the others for the values of the states; the last is the right side. */
  function waitRow(queue: number): Float64Array {
    const row = new Float64Array(states + 1)
    add(row, queue, 1)
    add(row, queue + 1, -1)
    row[0] = 1 / rate
    row[states] = queue / rate
    return row
  }

  function startRow(queue: number): Float64Array {
    const row = new Float64Array(states + 1)
    const size = Math.min(queue, MAX_BATCH_SIZE)
    const time = runTime(queue)
    let rest = 1
    add(row, queue, 1)
    for (let come = 0; queue - size + come < LONGEST_QUEUE; come += 1) {
      const chance = arriving[size]?.[come] ?? 0
      add(row, queue - size + come, -chance)
      rest -= chance
    }
    add(row, LONGEST_QUEUE, -Math.max(0, rest))
    row[0] = time
    row[states] = queue * time + (rate * time ** 2) / 2
    return row
  }

  /** The value of the empty queue is 0 by definition. */
  function add(row: Float64Array, queue: number, factor: number): void {
    const column = Math.min(queue, LONGEST_QUEUE)
    if (column > 0) row[column] = (row[column] ?? 0) + factor
  }
}

function poissonWeights(mean: number, length: number): Float64Array {
  const weights = new Float64Array(length)
  weights[0] = Math.exp(-mean)
  for (let n = 1; n < length; n += 1) weights[n] = ((weights[n - 1] ?? 0) * mean) / n
  return weights
}

/** Gaussian elimination with partial pivoting; each row has its right side last. */
function solve(rows: readonly Float64Array[]): Float64Array {
  const matrix = [...rows]
  const size = matrix.length
  for (let column = 0; column < size; column += 1) {
    const at = (row: number): number => Math.abs(matrix[row]?.[column] ?? 0)
    let pivot = column
    for (let row = column + 1; row < size; row += 1) if (at(row) > at(pivot)) pivot = row
    ;[matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!]
    const base = matrix[column]!
    for (let row = column + 1; row < size; row += 1) {
      const target = matrix[row]!
      const factor = target[column]! / base[column]!
      if (factor === 0) continue
      for (let k = column; k <= size; k += 1) target[k]! -= factor * base[k]!
    }
  }
  const solution = new Float64Array(size)
  for (let row = size - 1; row >= 0; row -= 1) {
    const line = matrix[row]!
    let value = line[size]!
    for (let k = row + 1; k < size; k += 1) value -= line[k]! * solution[k]!
    solution[row] = value / line[row]!
  }
  return solution
}
