import { type Scope, Snapshot } from '@heddle/context'

import type { Item } from './item.ts'

/** The context of one that waits for an item. Whoever uses it may see what is not compared: then nobody else can join. */
export class Waiter extends Snapshot {
  #item: Item<any, any> | undefined

  constructor(item: Item<any, any>) {
    super(item, item.scope)
    this.#item = item
  }

  override get scope(): Scope | undefined {
    this.#item?.expose()
    return super.scope
  }

  override run<R>(fn: () => R): R {
    this.#item?.expose()
    return super.run(fn)
  }

  override release(): void {
    this.#item = undefined
    super.release()
  }
}
