/**
 * The last answers of a server of Bun. Its connections cannot be asked for, so the middleware tells their
 * clients. It does not know by which server a request came: it is one for all of the process.
 */
let watchers = 0
let latest = Number.NEGATIVE_INFINITY
/** While a server closes: until when answers wait. */
let gate: Promise<void> | undefined

/** From now on it is known when the latest answer was given. */
export function watchAnswers(): void {
  watchers += 1
}

/** ms since the latest answer. */
export function sinceLatestAnswer(): number {
  return performance.now() - latest
}

/**
 * From now on answers wait, and say then that they are the last ones of their connections.
 *
 * @returns what lets them go, and what ends it
 */
export function holdAnswers(): { readonly letGo: () => void; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  return {
    letGo: resolve,
    end() {
      resolve()
      if (gate === promise) gate = undefined
    },
  }
}

/** To be called with each answer; what it has to wait for if it is the last one of its connection. */
export function lastAnswer(): Promise<void> | undefined {
  if (watchers > 0) latest = performance.now()
  return gate
}
