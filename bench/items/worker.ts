/** A batcher in a process of its own, where no other one shares its heap or what is compiled of it: a round for each message. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { runRequest } from '@heddle/context'

import { allocated, cpuTime } from '../measure.ts'
import { CALLERS } from './goals.ts'
import type { Cost, Round } from './process.ts'
import { subjects } from './subjects.ts'

type Caller = (load: () => Promise<number>, index: number) => Promise<number>

const storage = new AsyncLocalStorage<object>()
/** Of the callers of a burst. */
const signals = Array.from({ length: 128 }, () => new AbortController().signal)
const callers: Readonly<Record<string, Caller>> = {
  [CALLERS.bare]: (load) => load(),
  [CALLERS.stores]: (load) => storage.run({}, load),
  [CALLERS.scopes]: (load, index) => runRequest({ signal: signals[index]! }, load),
}

const load = subjects[process.argv[2] ?? '']!()
process.on('message', (message) => {
  void measured(message as Round).then((cost) => process.send?.(cost))
})
process.on('disconnect', () => process.exit())

async function measured({ caller, burst, bursts }: Round): Promise<Cost> {
  const call = callers[caller]!
  const items = bursts * burst
  const bytes = allocated()
  const time = await cpuTime(async () => {
    for (let n = 0; n < bursts; n += 1) {
      const answers: Promise<number>[] = []
      for (let index = 0; index < burst; index += 1) answers.push(call(() => load(index), index))
      const results = await Promise.all(answers)
      assert.equal(results[burst - 1], burst - 1)
    }
  })
  return { time: (time * 1e3) / items, bytes: (allocated() - bytes) / items }
}
