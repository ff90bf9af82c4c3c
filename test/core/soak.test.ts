import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, runRequest } from '@heddle/context'
import { type BatcherError, createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { sleep } from '../support/crank.ts'
import { randomFrom } from '../support/random.ts'

const ITEMS = 5_000
const SEED = 20_261_123

const tenant = createKey<string>('test.soak.tenant', { batch: 'partition' })
const foreign = new AsyncLocalStorage<string>()

describe('many items with aborts, deadlines and faults', () => {
  it('settle once each, never mix tenants, never exceed the slots, and leave nothing behind', async () => {
    const random = randomFrom(SEED)
    let inFlight = 0
    let mostInFlight = 0
    const started = new Set<number>()
    const batcher = createBatcher<{ id: number; tenant: string }, number>({
      name: 'soak',
      maxBatchSize: 16,
      maxConcurrency: 3,
      maxQueueSize: 200,
      cost: ({ id }) => 1 + (id % 3),
      maxBatchCost: 30,
      async run(inputs, batch) {
        inFlight += 1
        mostInFlight = Math.max(mostInFlight, inFlight)
        for (const input of inputs) {
          expect(started.has(input.id)).toBe(false)
          started.add(input.id)
          expect(input.tenant).toBe(tenant.getOrThrow())
        }
        expect(foreign.getStore()).toBeUndefined()
        const owners = batch.items.map((item) => item.run(() => foreign.getStore()))
        expect(owners).toEqual(inputs.map(({ id }) => `caller ${id}`))
        await sleep(random() * 4)
        inFlight -= 1
        const dice = random()
        if (dice < 0.05) throw new Error('batch fault')
        if (dice < 0.08) return []
        return inputs.map(({ id }) => (random() < 0.05 ? new Error(`item fault ${id}`) : id))
      },
    })
    const endings = new Map<string, number>()
    const one = (id: number): Promise<void> => {
      const who = `t${Math.floor(random() * 5)}`
      const client = new AbortController()
      const leavesAfter = random() < 0.2 ? random() * 6 : undefined
      const timeout = random() < 0.2 ? 1 + random() * 5 : undefined
      return foreign.run(`caller ${id}`, () =>
        runRequest({ signal: client.signal, entries: [tenant.of(who)] }, async () => {
          if (leavesAfter !== undefined)
            setTimeout(() => client.abort(new Error('left')), leavesAfter)
          let ending: string
          try {
            const value = await batcher.submit(
              { id, tenant: who },
              timeout === undefined ? {} : { timeout },
            )
            expect(value).toBe(id)
            ending = 'fulfilled'
          } catch (error) {
            const { code, message } = error as BatcherError
            ending = code ?? (message === 'left' ? 'aborted' : 'item')
            // An error of another item, or a code that is none, would be counted under its own name.
            if (ending === 'item' && message !== `item fault ${id}`) ending = message
          }
          endings.set(ending, (endings.get(ending) ?? 0) + 1)
          expect([tenant.get(), foreign.getStore()]).toEqual([who, `caller ${id}`])
        }),
      )
    }
    const all: Promise<void>[] = []
    for (let id = 0; id < ITEMS; id += 1) {
      all.push(one(id))
      if (random() < 0.05) await sleep(random() * 3)
    }
    await Promise.all(all)
    await batcher.drain()

    expect([...endings.values()].reduce((sum, n) => sum + n)).toBe(ITEMS)
    expect(mostInFlight).toBe(3)
    const { queued, inFlight: left, submitted, fulfilled, rejected } = batcher.stats()
    expect({ queued, left, submitted }).toEqual({ queued: 0, left: 0, submitted: ITEMS })
    expect(fulfilled).toBe(endings.get('fulfilled'))
    expect(Object.fromEntries(Object.entries(rejected).filter(([, count]) => count > 0))).toEqual(
      Object.fromEntries([...endings].filter(([ending]) => ending !== 'fulfilled')),
    )
    // The faults were really there.
    for (const ending of ['fulfilled', 'aborted', 'DEADLINE_EXCEEDED', 'BATCH_FAILED', 'item']) {
      expect(endings.get(ending)).toBeGreaterThan(0)
    }
  })
})
