import {
  setTimeout as delay,
  scheduler,
  setImmediate as turn,
  setInterval as every,
} from 'node:timers/promises'

import { inA, inB, seen, told } from '../probe.ts'
import { type Group, row } from '../row.ts'

export const timers: Group = {
  title: 'Timers and microtasks',
  rows: [
    row('`setTimeout`', 'A', () => told((tell) => inA(() => setTimeout(tell, 1)))),
    row('`setInterval`, first call', 'A', () => afterCalls(1)),
    row('`setInterval`, second call', 'A', () => afterCalls(2)),
    row('`setImmediate`', 'A', () => told((tell) => inA(() => setImmediate(tell)))),
    row('`queueMicrotask`', 'A', () => told((tell) => inA(() => queueMicrotask(tell)))),
    row('`process.nextTick`', 'A', () => told((tell) => inA(() => process.nextTick(tell)))),
    row('`timeout.refresh()` by B', 'A', () =>
      told((tell) => {
        const timeout = inA(() => setTimeout(tell, 1))
        inB(() => timeout.refresh())
      }),
    ),
    row('`timers/promises`: `setTimeout`', 'A', () =>
      inA(async () => {
        await delay(1)
        return seen()
      }),
    ),
    row('`timers/promises`: `setImmediate`', 'A', () =>
      inA(async () => {
        await turn()
        return seen()
      }),
    ),
    row('`timers/promises`: `setInterval`', 'A', () =>
      inA(async () => {
        for await (const _ of every(1)) return seen()
        return 'none'
      }),
    ),
    row('`scheduler.wait`', 'A', () =>
      inA(async () => {
        await scheduler.wait(1)
        return seen()
      }),
    ),
    row('`scheduler.yield`', 'A', () =>
      inA(async () => {
        await scheduler.yield()
        return seen()
      }),
    ),
  ],
}

function afterCalls(count: number): Promise<string> {
  let calls = 0
  return told((tell) => {
    const interval = inA(() =>
      setInterval(() => {
        calls += 1
        if (calls < count) return
        clearInterval(interval)
        tell()
      }, 1),
    )
  })
}
