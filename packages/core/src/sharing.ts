import { areSameValues, identityOf } from '@heddle/context/engine'

import type { Item } from './item.ts'

/** Callers that wait for the same work. One of them has its place in the queue or the batch. */
export class Group<I, O> {
  readonly key: string
  /** The one that has the place. */
  entry: Item<I, O>
  /** All that still wait, in the order in which they came; the last one stays when it leaves. */
  readonly members: Set<Item<I, O>> = new Set()
  /** Whether somebody still waits for the work. */
  isOpen = true
  /** Under which key others find it while it runs; `undefined` while it waits, or where nobody may join. */
  runningKey: string | undefined

  constructor(key: string, entry: Item<I, O>) {
    this.key = key
    this.entry = entry
    this.members.add(entry)
  }
}

/**
 * Who waits for the same work as whom. A duplicate joins a list of waiters and is nobody's guest: when
 * the one with the place leaves, another takes it over, and the context of who left is let go.
 *
 * Anybody may join work that waits, since its batch will see what all of them allow. Work that runs has
 * seen the values of those who were there at its start, so only a caller with the identical values may
 * join it; for any other, the same work is new work.
 */
export class Sharing<I, O> {
  readonly #waiting = new Map<string, Group<I, O>>()
  /** By the values that the batch could see, too. */
  readonly #running = new Map<string, Group<I, O>>()
  #duplicates = 0

  /** Callers that wait for work that somebody else has the place for. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** The work that this caller may join; rather what runs already, since it is done earlier. */
  find(key: string, { values }: Item<I, O>, mayWaitForRunning: boolean): Group<I, O> | undefined {
    const running =
      mayWaitForRunning && this.#running.size > 0 && values
        ? this.#running.get(runningKeyOf(key, identityOf(values)))
        : undefined
    return running ?? this.#waiting.get(key)
  }

  /** From here on equal submits join this one. */
  open(key: string, entry: Item<I, O>): void {
    const group = new Group(key, entry)
    entry.extend().group = group
    this.#waiting.set(key, group)
  }

  join(group: Group<I, O>, item: Item<I, O>): void {
    item.extend().group = group
    item.execution = group.entry.execution
    group.members.add(item)
    this.#duplicates += 1
  }

  /** A batch of these items starts. What it sees of its callers is decided now, for all of its work. */
  started(items: readonly Item<I, O>[]): void {
    const identity = commonIdentity(items)
    for (const { group } of items) {
      if (group === undefined) continue
      this.withdraw(group)
      if (identity === undefined) continue
      group.runningKey = runningKeyOf(group.key, identity)
      this.#running.set(group.runningKey, group)
    }
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
    this.withdraw(group)
    this.#duplicates -= group.members.size - 1
  }

  /** Nobody finds it any more. Where it stood, equal work of other callers may stand by now. */
  withdraw(group: Group<I, O>): void {
    const { key, runningKey } = group
    if (this.#waiting.get(key) === group) this.#waiting.delete(key)
    if (runningKey === undefined) return
    group.runningKey = undefined
    if (this.#running.get(runningKey) === group) this.#running.delete(runningKey)
  }
}

/** With the length, so that no text of one can be taken for a part of the other. */
function runningKeyOf(key: string, identity: string): string {
  return `${identity.length}:${identity}${key}`
}

/** What a batch could see of each of these callers, if that is the same for all of them. */
function commonIdentity(items: readonly Item<any, any>[]): string | undefined {
  const first = items[0]?.values
  if (first === undefined) return undefined
  for (const item of items) {
    for (const { values } of waitersOf(item)) {
      if (values === undefined || !areSameValues(values, first)) return undefined
    }
  }
  return identityOf(first)
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
