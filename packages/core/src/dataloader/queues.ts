import type { Values } from '@heddle/context/engine'

import type { BatchView } from '../batch-view.ts'
import { Engine } from '../engine.ts'
import type { Item } from '../item.ts'
import { type BatcherOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { AcrossRequests } from './options.ts'

export interface QueuesOptions<K, V> extends Pick<
  BatcherOptions<K, V>,
  'name' | 'run' | 'maxBatchSize' | 'partitionBy'
> {
  readonly acrossRequests: AcrossRequests | undefined
  readonly dispatcher: Dispatcher
}

/**
 * Where the keys of a loader wait: for the next dispatch, as in `dataloader`; or, across requests, for a free slot.
 *
 * Across requests, what a batch function loads waits for the next dispatch, too. It may be a batch of the same
 * loader, or one that such a batch waits for, and would never end if it had to wait for that batch's slot.
 */
export class Queues<K, V> {
  readonly #dispatcher: Dispatcher
  readonly #options: BatcherOptions<K, V>
  readonly #optionsAcross: ResolvedOptions<K, V> | undefined
  /** Promises of keys that wait for a slot. */
  readonly #waiting = new WeakSet<Promise<V>>()
  #engine: Engine<K, V> | undefined
  #engineAcross: Engine<K, V> | undefined

  /** @throws BatcherError `INVALID_OPTION` */
  constructor({ acrossRequests, dispatcher, name, ...options }: QueuesOptions<K, V>) {
    this.#dispatcher = dispatcher
    const isAcross = acrossRequests !== undefined
    this.#options = { ...options, ...unlimited, name: isAcross ? `${name} (nested)` : name }
    this.#optionsAcross = isAcross
      ? resolveOptions({
          maxQueueSize: Number.POSITIVE_INFINITY,
          ...acrossRequests,
          ...options,
          run: (keys, batch) => {
            for (const { promise } of (batch as BatchView<K, V>).members) {
              this.#waiting.delete(promise)
            }
            return options.run(keys, batch)
          },
          name,
        })
      : undefined
  }

  /** Whether keys wait for a slot, unless a batch function loads them. */
  get hasSlots(): boolean {
    return this.#optionsAcross !== undefined
  }

  /** @param isInBatch - whether a batch function loads it */
  enqueue(key: K, values: Values | undefined, isInBatch: boolean): Item<K, V> {
    const engine = this.#engineFor(isInBatch)
    const item = engine.enqueue(key, undefined, undefined, values)
    if (engine === this.#engineAcross && !item.settled) this.#waiting.add(item.promise)
    return item
  }

  /**
   * Whether this is the promise of a key that waits for a slot, which a batch function must not wait for: it may
   * have that slot.
   */
  waitsForSlot(promise: Promise<V>): boolean {
    return this.#waiting.has(promise)
  }

  // They are made when they are needed: a request may have many loaders and use few.

  #engineFor(isInBatch: boolean): Engine<K, V> {
    if (this.#optionsAcross && !isInBatch) {
      return (this.#engineAcross ??= new Engine(this.#optionsAcross))
    }
    return (this.#engine ??= new Engine(resolveOptions(this.#options), {
      schedule: this.#dispatcher.next,
    }))
  }
}

/** As in `dataloader`: it starts after the promise jobs, and nothing is ever refused. */
const unlimited = {
  coalesce: 'microtask',
  maxConcurrency: Number.POSITIVE_INFINITY,
  maxQueueSize: Number.POSITIVE_INFINITY,
} as const
