import type { Batch, Item } from './model.ts'

/** What is selected: a batch, and perhaps one item of it. */
export class Selection {
  batch: Batch | undefined
  item: Item | undefined
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  selectBatch(batch: Batch): void {
    this.#set(batch, undefined)
  }

  selectItem(item: Item): void {
    this.#set(item.batch, item)
  }

  clear(): void {
    this.#set(undefined, undefined)
  }

  #set(batch: Batch | undefined, item: Item | undefined): void {
    if (this.batch === batch && this.item === item) return
    this.batch = batch
    this.item = item
    this.#changed()
  }
}
