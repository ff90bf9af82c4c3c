import { platform } from '@heddle/context/engine'

/**
 * The last answers of servers of Bun. Such a server does not tell its connections, so the middleware tells
 * their clients. It gives itself to the app, as `c.env`, if `fetch` is the app's own.
 */
const latest = new WeakMap<object, number>()

interface Gate {
  readonly server: object
  readonly isOpen: Promise<void>
}

const gates = new Set<Gate>()
let areWatched = false

/** From now on it is known when the server's latest answer was given. */
export function watchAnswers(server: object): void {
  areWatched = true
  latest.set(server, Number.NEGATIVE_INFINITY)
}

/** ms since the server's latest answer. */
export function sinceLatestAnswer(server: object): number {
  return platform.now() - (latest.get(server) ?? Number.NEGATIVE_INFINITY)
}

/**
 * From now on the server's answers wait, and say then that they are the last ones of their connections.
 *
 * @returns what lets them go, and what ends it
 */
export function holdAnswers(server: object): {
  readonly letGo: () => void
  readonly end: () => void
} {
  const { promise: isOpen, resolve } = Promise.withResolvers<void>()
  const gate = { server, isOpen }
  gates.add(gate)
  return {
    letGo: resolve,
    end() {
      resolve()
      gates.delete(gate)
    },
  }
}

/**
 * To be called with each answer; what it has to wait for if it is the last one of its connection.
 *
 * @param env - the app's `c.env`
 */
export function lastAnswer(env: unknown): Promise<unknown> | undefined {
  if (!areWatched) return undefined
  const server = latest.has(env as object) ? (env as object) : undefined
  if (server) latest.set(server, platform.now())
  if (gates.size === 0) return undefined
  // Where the app was not given the server, it may be any of them.
  const own = [...gates].filter((gate) => server === undefined || gate.server === server)
  return own.length === 0 ? undefined : Promise.all(own.map(({ isOpen }) => isOpen))
}
