import { foreign, keys, ownStore } from './world.ts'

/**
 * Decides who goes on next: all code that pauses waits here, and the loom lets it go on in the order
 * of `picks`. It does so in the context of an intruder, which nobody must see.
 */
export class Loom {
  readonly #picks: readonly number[]
  #turn = 0
  readonly #waiting: (() => void)[] = []

  constructor(picks: readonly number[]) {
    this.#picks = picks
  }

  readonly pause = (): Promise<void> => new Promise((resolve) => this.#waiting.push(resolve))

  /** Keeps going until `work` has settled. */
  async weave(work: Promise<void>): Promise<void> {
    let isGoing = true
    const stop = (): void => void (isGoing = false)
    work.then(stop, stop)
    // oxlint-disable-next-line no-unmodified-loop-condition -- `stop` modifies it
    while (isGoing) {
      // What was let go on goes on, and batches start.
      await new Promise((resolve) => setImmediate(resolve))
      this.#letGo()
    }
    await work
  }

  #letGo(): void {
    const pick = this.#picks[this.#turn % this.#picks.length] ?? 0
    this.#turn += 1
    for (let count = pick % 4; count >= 0 && this.#waiting.length > 0; count -= 1) {
      const [goOn] = this.#waiting.splice(pick % this.#waiting.length, 1)
      if (goOn)
        foreign.run('intruder', () =>
          ownStore.run('intruder', () => keys.tenant.run('intruder', goOn)),
        )
    }
  }
}
