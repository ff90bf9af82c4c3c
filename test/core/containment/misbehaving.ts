import type { BatcherHooks } from '@heddle/core'

import { thrown } from '../../support/faults.ts'

type Random = () => number
type Next = () => Promise<void>

function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

/**
 * Throws, rejects, hangs or returns what makes no sense; or behaves. It drops no promise: what nobody but
 * the hook has, nobody but the hook can handle.
 */
function anything(random: Random): unknown {
  const fault = oneOf(random, Object.values(thrown))
  const reject = (): Promise<never> =>
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    Promise.reject(fault())
  return oneOf<() => unknown>(random, [
    () => undefined,
    () => {
      throw fault()
    },
    reject,
    () => new Promise(() => {}),
    () => Object.freeze(['not', 'what', 'was', 'asked', 'for']),
    () => ({
      // oxlint-disable-next-line unicorn/no-thenable
      get then() {
        throw fault()
      },
    }),
    () => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then(_resolve: unknown, no: (error: unknown) => void) {
        no(fault())
      },
    }),
  ])()
}

/** Calls `next` never, once, twice or late; misbehaves before or after; swallows or replaces its failure. */
function aroundAnything(random: Random, next: Next): unknown {
  return oneOf<() => unknown>(random, [
    () => anything(random),
    () => Promise.all([next(), anything(random)]),
    () => {
      void next()
      void next()
      return anything(random)
    },
    async () => {
      await Promise.resolve()
      await next()
    },
    async () => {
      await next().catch(() => {})
      return anything(random)
    },
    () =>
      next().catch((cause: unknown) => {
        throw new Error('replaced', { cause })
      }),
    () => next().finally(() => anything(random)),
  ])()
}

/** Hooks that do anything but what they should, and hooks that cannot even be read. */
export function misbehavingHooks(random: Random, name: string): BatcherHooks {
  const hooks = {
    name,
    enabled: () => (random() < 0.8 ? true : (anything(random) as boolean)),
    onSubmit: () => anything(random),
    aroundBatch(batch: object, members: readonly unknown[], next: Next) {
      if (random() < 0.2) Object.freeze(batch)
      if (random() < 0.2) (members as unknown[]).length = 0
      return aroundAnything(random, next) as Promise<void>
    },
    onSettle: () => anything(random) as void,
  } satisfies BatcherHooks
  if (random() < 0.6) return hooks
  return new Proxy(hooks, {
    get(target, property, receiver): unknown {
      if (property !== 'name' && random() < 0.2) throw oneOf(random, Object.values(thrown))()
      return Reflect.get(target, property, receiver)
    },
  })
}
