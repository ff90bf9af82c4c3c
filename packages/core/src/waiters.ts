import { runNeutral } from '@heddle/context'

/** Callers that wait for the same event, each for its next occurrence. */
export class Waiters {
  #resolvers: (() => void)[] = []

  wait(): Promise<void> {
    // A caller may keep it: `close()` is given to all who ask for it.
    return runNeutral(() => new Promise((resolve) => this.#resolvers.push(resolve)))
  }

  notify(): void {
    if (this.#resolvers.length === 0) return
    const resolvers = this.#resolvers
    this.#resolvers = []
    for (const resolve of resolvers) resolve()
  }
}
