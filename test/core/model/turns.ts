import { first, type Work } from './work.ts'

interface Turn {
  readonly tenant: string
  deficit: number
  atTurn: boolean
}

/** Deficit round robin, by the book: each partition has a ring of tenants and a quantum. */
export class Turns {
  readonly #partitions = new Map<string, { ring: Turn[]; quantum: number }>()

  /** The work has joined the queue. */
  join(work: Work): void {
    const turns = this.#partitions.get(work.partition) ?? { ring: [], quantum: 0 }
    this.#partitions.set(work.partition, turns)
    turns.quantum = Math.max(turns.quantum, work.cost)
    if (turns.ring.some(({ tenant }) => tenant === work.tenant)) return
    turns.ring.push({ tenant: work.tenant, deficit: 0, atTurn: false })
  }

  /** The work leaves the queue, in which it may still be. */
  leave(work: Work, queue: readonly Work[]): void {
    const others = queue.filter((one) => one !== work && one.partition === work.partition)
    const turns = this.#partitions.get(work.partition)
    if (turns === undefined) return
    if (others.length === 0) this.#partitions.delete(work.partition)
    if (others.some(({ tenant }) => tenant === work.tenant)) return
    turns.ring = turns.ring.filter(({ tenant }) => tenant !== work.tenant)
  }

  charge(work: Work): void {
    const { ring = [] } = this.#partitions.get(work.partition) ?? {}
    for (const one of ring) if (one.tenant === work.tenant) one.deficit -= work.cost
  }

  /** The one of these, of one partition, whose turn it is. */
  next(works: readonly Work[]): Work {
    const turns = this.#partitions.get(first(works).partition)
    for (;;) {
      const [current] = turns?.ring ?? []
      if (turns === undefined || current === undefined) throw new Error('No tenant is at its turn')
      if (!current.atTurn) {
        current.atTurn = true
        current.deficit += turns.quantum
      }
      const head = first(works.filter(({ tenant }) => tenant === current.tenant))
      if (head.cost <= current.deficit) return head
      current.atTurn = false
      turns.ring.push(...turns.ring.splice(0, 1))
    }
  }
}
