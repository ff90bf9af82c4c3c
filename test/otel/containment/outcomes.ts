import { createBatcher, createStreamBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'

import { ended } from '../../support/crank.ts'

/** What callers get: of items that end in every way, in batches that do. */
export async function outcomes(): Promise<unknown[]> {
  using clock = virtualClock()
  const { run, calls } = crank<number>()
  const cities = createBatcher({ name: 'cities', run, maxQueueSize: 5, dedupeBy: String })
  const words = createStreamBatcher<string, string>({
    name: 'words',
    async *run(prompts) {
      for (const [index, prompt] of prompts.entries()) yield [index, prompt]
    },
  })
  const all = async (chunks: AsyncIterable<string>): Promise<string[]> => {
    const taken: string[] = []
    for await (const chunk of chunks) taken.push(chunk)
    return taken
  }
  const client = new AbortController()
  const given = [
    cities.submit(1),
    cities.submit(1),
    cities.submit(2),
    cities.submit(3, { timeout: 5 }),
    cities.submit(4, { signal: client.signal }),
    cities.submit(5),
    all(words.stream('a word')),
  ].map(ended)
  await clock.settle()
  client.abort(new Error('left'))
  await clock.advance(5)
  calls[0]?.finish(calls[0].inputs.map((n) => (n === 2 ? new Error('no city 2') : n)))
  await clock.settle()
  const failed = ended(cities.submit(6))
  await clock.settle()
  calls[1]?.fail(new Error('no database'))
  await clock.settle()
  const ending = await Promise.all([...given, failed])
  await Promise.all([cities.close(), words.close()])
  const { submitted, fulfilled, rejected, inFlight } = cities.stats()
  return [...ending, submitted, fulfilled, Object.values(rejected).join(), inFlight]
}
