import { registry, storage } from './registry.ts'

/**
 * Runs `fn` on neutral ground: every AsyncLocalStorage of the process is empty inside, OpenTelemetry's
 * and Hono's too, not only ours. Timers, sockets and cached promises that are made here belong to no
 * request. May be nested.
 *
 * The ground is taken when this package is first imported, so import it at start-up: a module that is
 * first imported inside a request is evaluated in that request's context (Node, Deno).
 *
 * @example
 * ```ts
 * const pool = runNeutral(() => new Pool()) // its sockets do not belong to the first request
 * ```
 */
export function runNeutral<R>(fn: () => R): R {
  return registry.neutral.runInAsyncScope(fn)
}

/**
 * Whether a new promise remembers the context it was made in. It does where AsyncLocalStorage is
 * built on `async_hooks` (Node 22, and 24 with `--no-async-context-frame`): there a promise that is
 * kept pins the request that made it, so the ones we keep are made on neutral ground.
 */
export const promisesCaptureContext: boolean = runNeutral(() =>
  // Any store but the current one, `undefined`, which would be no change and turn nothing on.
  storage.run(
    Object.create(null),
    () => Object.getOwnPropertySymbols(new Promise<void>(() => {})).length > 0,
  ),
)
