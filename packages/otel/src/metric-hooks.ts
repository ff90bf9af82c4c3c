import { clock, ErrorBoundary } from '@heddle/context/engine'
import type { BatcherHooks, BatchInfo, SettledItem } from '@heddle/core'
import type { Attributes, Meter } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions'

import { classOf, errorTypeOf } from './failure.ts'
import { attributesOf, createInstruments, type Instruments } from './instruments.ts'
import { tryMeter } from './meter.ts'
import { ATTR_BATCH_REASON } from './names.ts'
import type { InstrumentBatchersOptions } from './options.ts'
import { name } from './version.ts'

/** Turns the life of batches into metrics. */
export function createMetricHooks(settings: () => InstrumentBatchersOptions): BatcherHooks {
  const boundary = new ErrorBoundary(`${name} metrics`)
  const current = (): Instruments | undefined =>
    instrumentsOf(tryMeter(settings().meterProvider), boundary)
  return {
    name: `${name} metrics`,

    // Made with the first submit, so that what is observed is there from then on.
    enabled: () => current() !== undefined,

    async aroundBatch(batch, _members, next) {
      const instruments = current()
      instruments?.batchSize(batch.size, {
        ...attributesOf(batch.batcher),
        [ATTR_BATCH_REASON]: batch.reason,
      })
      try {
        await next()
        instruments?.batchDuration(secondsOf(batch), attributesOf(batch.batcher))
      } catch (error) {
        const attributes = withError(attributesOf(batch.batcher), classOf(error))
        instruments?.batchDuration(secondsOf(batch), attributes)
        throw error
      }
    },

    onSettle(item) {
      const instruments = current()
      if (instruments) recordItem(instruments, item)
    },
  }
}

function recordItem({ timeInQueue, itemDuration, items }: Instruments, item: SettledItem): void {
  const { batcher, submittedAt, settledAt, timing } = item
  const plain = attributesOf(batcher)
  const attributes = item.outcome === 'rejected' ? withError(plain, errorTypeOf(item)) : plain
  // One that never ran has been in the queue for as long as it was there at all.
  timeInQueue((timing?.queued ?? settledAt - submittedAt) / 1000, plain)
  itemDuration((settledAt - submittedAt) / 1000, attributes)
  items(1, attributes)
}

function secondsOf({ startedAt, endedAt = clock.now() }: BatchInfo): number {
  return (endedAt - startedAt) / 1000
}

function withError(attributes: Attributes, type: string): Attributes {
  return { ...attributes, [ATTR_ERROR_TYPE]: type }
}

const instruments = new WeakMap<Meter, Instruments>()

function instrumentsOf(meter: Meter | undefined, boundary: ErrorBoundary): Instruments | undefined {
  if (meter === undefined) return undefined
  let made = instruments.get(meter)
  if (made === undefined) {
    made = createInstruments(meter, boundary)
    instruments.set(meter, made)
  }
  return made
}
