import type { Item } from './item.ts'

/** Callers that wait for the same work. One of them has its place in the queue or the batch. */
export class Group<I, O> {
  readonly key: string
  /** The one that has the place. */
  entry: Item<I, O>
  /** All that still wait, in the order in which they came; the last one stays when it leaves. */
  readonly members: Set<Item<I, O>> = new Set()
  /** Whether others may join. */
  isOpen = true

  constructor(key: string, entry: Item<I, O>) {
    this.key = key
    this.entry = entry
    this.members.add(entry)
  }
}

/**
 * Who waits for the same work as whom. A duplicate joins a list of waiters and is nobody's guest: when
 * the one with the place leaves, another takes it over, and the context of who left is let go.
 */
export class Sharing<I, O> {
  readonly #groups = new Map<string, Group<I, O>>()
  #duplicates = 0

  /** Callers that wait for work that somebody else has the place for. */
  get duplicates(): number {
    return this.#duplicates
  }

  find(key: string): Group<I, O> | undefined {
    return this.#groups.get(key)
  }

  /** From here on equal submits join this one. */
  open(key: string, entry: Item<I, O>): void {
    const group = new Group(key, entry)
    entry.extend().group = group
    this.#groups.set(key, group)
  }

  join(group: Group<I, O>, item: Item<I, O>): void {
    item.extend().group = group
    item.execution = group.entry.execution
    group.members.add(item)
    this.#duplicates += 1
  }

  /**
   * A caller is gone.
   *
   * @returns who has the place now, if anybody else waits for the work
   */
  leave(item: Item<I, O>): Item<I, O> | undefined {
    const { group } = item
    if (group === undefined || !group.isOpen) return undefined
    if (group.members.size === 1) {
      this.close(group)
      return undefined
    }
    group.members.delete(item)
    this.#duplicates -= 1
    if (group.entry === item) [group.entry = item] = group.members
    return group.entry
  }

  /** Nobody joins any more: the work is done, or nobody wants it. */
  close(group: Group<I, O>): void {
    if (!group.isOpen) return
    group.isOpen = false
    this.#groups.delete(group.key)
    this.#duplicates -= group.members.size - 1
  }
}

/** Everybody who waits for the work that `item` has the place for. */
export function waitersOf<I, O>(item: Item<I, O>): readonly Item<I, O>[] {
  return item.group === undefined ? [item] : [...item.group.members]
}

/** When the last of its callers gives up, `undefined` if one never does. */
export function lastDeadline(item: Item<any, any>): number | undefined {
  if (item.group === undefined) return item.deadline
  let latest = 0
  for (const { deadline } of item.group.members) {
    if (deadline === undefined) return undefined
    latest = Math.max(latest, deadline)
  }
  return latest
}
