import type { ErrorBoundary } from '@heddle/context/engine'
import { batcherLevels } from '@heddle/core'
import {
  type Attributes,
  type Meter,
  type MetricOptions,
  type ObservableResult,
  ValueType,
} from '@opentelemetry/api'

import { ATTR_BATCHER_NAME } from './names.ts'

/** s, from half a ms. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** Takes one measurement. */
type Measure = (value: number, attributes: Attributes) => void

/** What is measured of batchers. */
export interface Instruments {
  readonly timeInQueue: Measure
  readonly itemDuration: Measure
  readonly batchDuration: Measure
  readonly batchSize: Measure
  readonly items: Measure
}

/**
 * Makes them, and what is observed of the batchers whenever metrics are collected. One that cannot be made
 * measures nothing; the others do.
 */
export function createInstruments(meter: Meter, boundary: ErrorBoundary): Instruments {
  const histogram = (name: string, options: MetricOptions): Measure =>
    contained(boundary, name, () => {
      const made = meter.createHistogram(name, options)
      return (value, attributes) => made.record(value, attributes)
    })
  const seconds = (name: string, description: string): Measure =>
    histogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } })
  const observe = (
    name: string,
    unit: string,
    description: string,
    valueOf: (levels: Levels) => number | undefined,
  ): void => {
    boundary.run(name, () => {
      const options = { description, unit, valueType: ValueType.INT }
      meter
        .createObservableUpDownCounter(name, options)
        .addCallback((result) => boundary.run(name, () => observeLevels(result, valueOf)))
    })
  }
  observe('heddle.queue.size', '{item}', 'Items that wait', ({ queued }) => queued)
  observe('heddle.queue.capacity', '{item}', 'Items that may wait', (levels) =>
    // An unbounded queue has no capacity to compare with.
    Number.isFinite(levels.maxQueueSize) ? levels.maxQueueSize : undefined,
  )
  observe('heddle.batch.active', '{batch}', 'Batches that run', ({ inFlight }) => inFlight)
  return {
    timeInQueue: seconds('heddle.item.time_in_queue', 'From the submit to the start of the batch'),
    itemDuration: seconds('heddle.item.duration', 'From the submit to the outcome'),
    batchDuration: seconds('heddle.batch.duration', 'Of the batch function'),
    batchSize: histogram('heddle.batch.size', {
      description: 'Items of a batch',
      unit: '{item}',
      valueType: ValueType.INT,
      advice: { explicitBucketBoundaries: SIZES },
    }),
    items: contained(boundary, 'heddle.items', () => {
      const made = meter.createCounter('heddle.items', {
        description: 'Items that have an outcome',
        unit: '{item}',
        valueType: ValueType.INT,
      })
      return (value, attributes) => made.add(value, attributes)
    }),
  }
}

/** What `make` makes, so that one metric that throws costs no other its measurement. */
function contained(boundary: ErrorBoundary, name: string, make: () => Measure): Measure {
  const measure = boundary.run(name, make)
  if (measure === undefined) return nothing
  return (value, attributes) => {
    try {
      measure(value, attributes)
    } catch (error) {
      boundary.report(name, error)
    }
  }
}

function nothing(): void {}

type Levels = ReturnType<typeof batcherLevels>[number]

function observeLevels(
  result: ObservableResult,
  valueOf: (levels: Levels) => number | undefined,
): void {
  // Batchers of one name are one to the metrics, and a second value would replace the first.
  const sums = new Map<string, number>()
  for (const levels of batcherLevels()) {
    const value = valueOf(levels)
    if (value !== undefined) sums.set(levels.name, (sums.get(levels.name) ?? 0) + value)
  }
  for (const [batcher, value] of sums) result.observe(value, attributesOf(batcher))
}

const attributes = new Map<string, Attributes>()
/** Beyond so many names they are made anew: somebody makes one for each request. */
const MOST_NAMES = 1000

/** One object for each batcher, and none for each item. */
export function attributesOf(batcher: string): Attributes {
  let found = attributes.get(batcher)
  if (found === undefined) {
    found = { [ATTR_BATCHER_NAME]: batcher }
    if (attributes.size < MOST_NAMES) attributes.set(batcher, found)
  }
  return found
}
