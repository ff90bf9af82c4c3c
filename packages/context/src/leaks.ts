import { ContextError } from './errors.ts'
import { isDirty } from './ground.ts'
import { quietly, readsAdoptedStore } from './own-stores/store-guard.ts'
import { type ForeignStore, registry, storage } from './registry.ts'
import { warn } from './warning.ts'

/** Looks at the ground that a batch function runs on. */
export interface LeakGuard {
  /** To be called where the batch function runs: before it, and when it has returned or settled. */
  check(moment: 'start' | 'return' | 'end'): void
}

/**
 * A guard for one batch. For development: looking at every store costs.
 *
 * @param batch - the name of the batch, which its scope has, too
 */
export function leakGuard(batcher: string, batch: string): LeakGuard {
  return {
    check(moment) {
      if (moment === 'start' && isDirty(registry.neutral)) warnOfDirtyGround(batcher)
      const scope = storage.getStore()
      if (scope?.batch?.name !== batch) {
        report(batcher, batch, moment, '@heddle/context', scope?.id)
      }
      for (const store of registry.foreignStores) {
        const value = read(store)
        if (value === undefined || readsAdoptedStore(() => store.read())) continue
        report(batcher, batch, moment, store.name, value)
      }
    },
  }
}

/** The store's value, `undefined` if that counts as empty. A store that cannot be read has none. */
function read(store: ForeignStore): unknown {
  try {
    const value = quietly(() => store.read())
    return store.isEmpty?.(value) ? undefined : value
  } catch {
    return undefined
  }
}

const WHEN = { start: 'when it started', return: 'when its function returned', end: 'at its end' }

const CURES = {
  start:
    'a hook of `instrument()` made it active: enter it there with `run`, and only what belongs to the batch',
  return:
    'the batch function called `enterWith`, or code that does: use `run` there, or `item.run`',
  end: 'something that the batch function awaited called `enterWith`: use `run` there, or `item.run`',
}

function report(
  batcher: string,
  batch: string,
  moment: keyof typeof WHEN,
  store: string,
  value: unknown,
): void {
  const error = new ContextError(
    'FOREIGN_LEAK',
    `Batch \`${batch}\` of batcher \`${batcher}\` saw a value of \`${store}\` ${WHEN[moment]}, ` +
      `where no request should be visible. Likely cause and cure: ${CURES[moment]}.`,
    { cause: value },
  )
  warn(error.code, `${batcher} ${store}`, error.message, error)
}

function warnOfDirtyGround(batcher: string): void {
  const error = new ContextError(
    'DIRTY_NEUTRAL',
    `Batches of \`${batcher}\`, and everything else on neutral ground, see the request in which ` +
      '@heddle/context was first imported. Likely cause: a dynamic `import()` or a route that is loaded late. ' +
      'Cure: import @heddle/context, or what imports it, at the start of the program.',
  )
  warn(error.code, 'neutral ground', error.message, error)
}
