import type { AdoptedKey, ContextKey, Scope } from '@heddle/context'
import { isDevelopment } from '@heddle/context/engine'

import type { BatchView } from '../batch-view.ts'
import { BatcherError, describe } from '../errors.ts'
import type { BatchItem } from '../types.ts'
import type { ActiveItem, ContinuousBatcherOptions } from './continuous-options.ts'
import type { StreamBounds } from './rules.ts'
import { Seat } from './seat.ts'
import { Stepper } from './stepper.ts'

export interface HostOptions<I, S, C>
  extends StreamBounds, Pick<ContinuousBatcherOptions<I, S, C>, 'name' | 'start' | 'step'> {
  readonly strictStores: boolean | undefined
  readonly end: ContinuousBatcherOptions<I, S, C>['end'] | undefined
}

/** Has the items of a continuous batcher for as long as they are active, each in a batch of its own. */
export class Host<I, S, C> {
  readonly #options: HostOptions<I, S, C>
  readonly #steppers = new Map<string, Stepper<I, S, C>>()
  readonly #detectsLeaks = isDevelopment()
  #steps = 0

  constructor(options: HostOptions<I, S, C>) {
    this.#options = options
  }

  /** The batch function of an item, which it is alone in. */
  async take(batch: BatchView<I, undefined>): Promise<readonly undefined[]> {
    const [view] = batch.items as readonly [BatchItem<I>]
    const item = new ActiveView(batch.id, view)
    const state = await this.#started(item, batch)
    const stepper = this.#stepperOf(batch)
    const seat = new Seat<I, S, C>(stepper, batch, { state, item }, this.#options)
    seat.take()
    await seat.over
    // So that who watches its batch sees it fail. The consumer has been told.
    if (seat.failure) throw seat.failure
    return [undefined]
  }

  async #started(item: ActiveItem<I>, batch: BatchView<I, undefined>): Promise<S> {
    const { name, start } = this.#options
    try {
      return await start(item.input, item)
    } catch (cause) {
      const message = `Batcher \`${name}\`: \`start\` failed: ${describe(cause)}`
      const reason = new BatcherError('BATCH_FAILED', name, message, { cause })
      batch.settle(0, { status: 'rejected', reason, kind: 'engine' })
      throw reason
    }
  }

  #stepperOf({ partitionKey, engine }: BatchView<I, undefined>): Stepper<I, S, C> {
    const { name, strictStores, step } = this.#options
    let stepper = this.#steppers.get(partitionKey)
    if (stepper === undefined) {
      stepper = new Stepper({
        name,
        strictStores,
        step,
        engine,
        detectsLeaks: this.#detectsLeaks,
        nextId: () => `${name}:step#${(this.#steps += 1)}`,
        onEmpty: () => void this.#steppers.delete(partitionKey),
      })
      this.#steppers.set(partitionKey, stepper)
    }
    return stepper
  }
}

/** An item as its functions see it, until its batch has settled. */
class ActiveView<I> implements ActiveItem<I> {
  readonly id: string
  readonly #item: BatchItem<I>

  constructor(id: string, item: BatchItem<I>) {
    this.id = id
    this.#item = item
  }

  get input(): I {
    return this.#item.input
  }

  get queuedFor(): number {
    return this.#item.queuedFor
  }

  get signal(): AbortSignal {
    return this.#item.signal
  }

  get scope(): Scope | undefined {
    return this.#item.scope
  }

  run<R>(fn: () => R): R {
    return this.#item.run(fn)
  }

  get<T>(key: ContextKey<T> | AdoptedKey<T>): T | undefined {
    return this.#item.get(key)
  }
}
