import { Lane, type Linked } from './lane.ts'

/** From the one that goes first. An item's priority is its place here. */
export const PRIORITIES = ['high', 'normal', 'low'] as const

export type Priority = (typeof PRIORITIES)[number]

/** What has a place in the order of a queue. */
export interface Ranked {
  /** Index into {@link PRIORITIES}. */
  readonly priority: number
  /**
   * ms on the `performance.now()` clock: when it was submitted, and `ageing` later for each class below
   * the highest. So a low item that has waited so much longer goes before a normal one: nothing starves.
   */
  readonly rank: number
  /** Grows with every submit. */
  readonly sequence: number
}

export function precedes(
  a: Pick<Ranked, 'rank' | 'sequence'>,
  b: Pick<Ranked, 'rank' | 'sequence'>,
): boolean {
  return a.rank === b.rank ? a.sequence < b.sequence : a.rank < b.rank
}

const NORMAL = PRIORITIES.indexOf('normal')

/** A lane for each priority. Within a lane the order of arrival is the order of ranks. */
export class Lanes<N extends Linked<N> & Ranked> {
  readonly #normal = new Lane<N>()
  /** Of the other classes, which many queues never see. */
  #others: (Lane<N> | undefined)[] | undefined

  /** The one that goes first. */
  get first(): N | undefined {
    let { first } = this.#normal
    if (this.#others === undefined) return first
    for (const lane of this.#others) {
      const head = lane?.first
      if (head && (first === undefined || precedes(head, first))) first = head
    }
    return first
  }

  /** The first one of its class. */
  head(priority: number): N | undefined {
    return priority === NORMAL ? this.#normal.first : this.#others?.[priority]?.first
  }

  add(node: N): void {
    this.#lane(node).add(node)
  }

  remove(node: N): void {
    this.#lane(node).remove(node)
  }

  /** `heir` must have the rank of `node`. */
  replace(node: N, heir: N): void {
    this.#lane(node).replace(node, heir)
  }

  #lane({ priority }: N): Lane<N> {
    if (priority === NORMAL) return this.#normal
    this.#others ??= PRIORITIES.map(() => undefined)
    return (this.#others[priority] ??= new Lane())
  }
}
