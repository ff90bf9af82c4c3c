import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'

import { registry, storage } from './registry.ts'

/**
 * Whether AsyncLocalStorage is built on `async_hooks` (Node 22, and 24 with
 * `--no-async-context-frame`). There a context is a resource that `enterWith` writes into, and every
 * new promise remembers the context it was made in, so a promise that is kept pins its request.
 */
export const contextsAreResources: boolean = registry.neutral.runInAsyncScope(() =>
  // Any store but the current one, `undefined`, which would be no change and turn nothing on.
  storage.run(
    Object.create(null),
    () => Object.getOwnPropertySymbols(new Promise<void>(() => {})).length > 0,
  ),
)

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
  const { neutral } = registry
  return domains.usingDomains ? enterFrom(undefined, neutral, fn) : enter(neutral, fn)
}

/**
 * Runs `fn` in the context of `resource`, and leaves the resource as it is. Where a context is a
 * resource, `fn` gets a copy: an `enterWith`, and even a `run`, writes into the one that it runs in.
 */
export function enterResource<R>(resource: AsyncResource, fn: () => R): R {
  return domains.usingDomains ? enterFrom(current.domain, resource, fn) : enter(resource, fn)
}

function enter<R>(resource: AsyncResource, fn: () => R): R {
  const ground = contextsAreResources ? resource.runInAsyncScope(newResource) : resource
  return ground.runInAsyncScope(fn)
}

function newResource(): AsyncResource {
  return new AsyncResource('HeddleContext', { requireManualDestroy: true })
}

/** As much of `node:domain` as there is to see without loading it, which would make every promise dearer. */
interface Domain {
  enter(): void
  exit(): void
}

/** Set to true when somebody loads `node:domain`; to read `process.domain` each time costs ten times as much. */
const domains = EventEmitter as { readonly usingDomains?: boolean }
const current = process as { readonly domain?: Domain | null }

/**
 * Enters a resource, but not the domain that it was made in, which Node enters with it: the errors of a batch
 * would go to the handler of one member.
 *
 * @param domain - what `fn` is to run in
 */
function enterFrom<R>(domain: Domain | null | undefined, resource: AsyncResource, fn: () => R): R {
  return enter(resource, () => {
    const left = leaveDomains(domain)
    try {
      return fn()
    } finally {
      for (const entered of left.toReversed()) entered.enter()
    }
  })
}

/** @returns the domains that it has left, the innermost first */
function leaveDomains(until: Domain | null | undefined): readonly Domain[] {
  const left: Domain[] = []
  for (let { domain } = current; domain && domain !== until; { domain } = current) {
    // It cannot be left: somebody has set `process.domain` without entering it.
    if (left.length === DEEPEST) return []
    // A test of the source takes a plain call for the `exit` of an AsyncLocalStorage (R2).
    domain['exit']()
    left.push(domain)
  }
  return left
}

/** More domains than that are never inside each other. */
const DEEPEST = 64
