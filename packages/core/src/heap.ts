/** What a heap keeps; it writes the place down so that an entry can leave from the middle. */
export interface HeapEntry {
  /** Owned by the heap; -1 outside. */
  heapIndex: number
}

/**
 * A binary min-heap that any entry can leave in O(log n), so that nothing settled is kept until its
 * turn comes. (Williams 1964, with the entries knowing their places.)
 */
export class Heap<T extends HeapEntry> {
  readonly #entries: T[] = []
  readonly #precedes: (a: T, b: T) => boolean

  /** @param precedes - whether `a` must come out before `b` */
  constructor(precedes: (a: T, b: T) => boolean) {
    this.#precedes = precedes
  }

  get size(): number {
    return this.#entries.length
  }

  /** The entry that precedes all others. */
  get first(): T | undefined {
    return this.#entries[0]
  }

  add(entry: T): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  remove(entry: T): void {
    const index = entry.heapIndex
    if (index < 0) return
    const last = this.#entries.pop()
    if (last !== undefined && last !== entry) {
      last.heapIndex = index
      this.#entries[index] = last
      this.update(last)
    }
    entry.heapIndex = -1
  }

  /** Finds the entry its place again after its key has changed. */
  update(entry: T): void {
    if (!this.#rise(entry, entry.heapIndex)) this.#sink(entry, entry.heapIndex)
  }

  #rise(entry: T, from: number): boolean {
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = this.#at(above)
      if (!this.#precedes(entry, parent)) break
      this.#put(parent, index)
      index = above
    }
    this.#put(entry, index)
    return index !== from
  }

  #sink(entry: T, from: number): void {
    const { length } = this.#entries
    let index = from
    for (let below = 2 * index + 1; below < length; below = 2 * index + 1) {
      if (below + 1 < length && this.#precedes(this.#at(below + 1), this.#at(below))) below += 1
      const child = this.#at(below)
      if (!this.#precedes(child, entry)) break
      this.#put(child, index)
      index = below
    }
    this.#put(entry, index)
  }

  #put(entry: T, index: number): void {
    this.#entries[index] = entry
    entry.heapIndex = index
  }

  #at(index: number): T {
    // Every caller stays below the length.
    return this.#entries[index]!
  }
}
