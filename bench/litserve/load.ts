import autocannon from 'autocannon'

import { type Answer, isRight, type Work } from './work.ts'

/** What clients saw. */
export interface Seen {
  /** Requests that were answered. */
  readonly count: number
  /** s. */
  readonly duration: number
  /** ms, ascending. */
  readonly latencies: readonly number[]
  /** How many requests a batch had, on average. */
  readonly meanBatchSize: number
}

/**
 * Asks from so many connections, each always again after its answer, each with an input of its own.
 *
 * @param duration - s
 * @throws Error if an answer is wrong or missing
 */
export async function load(
  url: string,
  work: Work,
  connections: number,
  duration: number,
): Promise<Seen> {
  const latencies: number[] = []
  let batches = 0
  let wrong = 0
  let clients = 0

  const requestOf = (input: number): autocannon.Request => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
    onResponse: (status, body) => {
      const answer = status === 200 ? (JSON.parse(body) as Answer) : undefined
      if (answer === undefined || !isRight(work, input, answer)) wrong += 1
      else batches += 1 / answer.size
    },
  })
  const { errors, duration: lasted } = await autocannon({
    url,
    connections,
    duration,
    setupClient(client) {
      clients += 1
      client.setRequests([requestOf(clients)])
      client.on('response', (_status, _bytes, time) => latencies.push(time))
    },
  })

  const count = latencies.length
  if (errors + wrong > 0) throw new Error(`${errors} errors, ${wrong} wrong answers of ${count}`)
  return {
    count,
    duration: lasted,
    latencies: latencies.toSorted((a, b) => a - b),
    meanBatchSize: count / batches,
  }
}
