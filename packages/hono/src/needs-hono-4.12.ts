import { watchStore } from '@heddle/context'
// As a namespace: a name that an older Hono lacks would end the import with no reason given. Where Hono has
// no such module at all, Node names this file.
import * as honoStorage from 'hono/context-storage'

const { tryGetContext } = honoStorage as Partial<typeof honoStorage>

/**
 * Tells the leak detector of Hono's own store: no request's context is to be seen in a batch.
 *
 * @throws Error where Hono is too old
 */
export function watchHonoContext(): void {
  if (tryGetContext === undefined) {
    throw new Error(
      '@heddle/hono needs Hono 4.12 or later, and this is an older one: it has no `tryGetContext`. ' +
        'Cure: `npm install hono@latest`; `npm ls hono` shows who brings the older one.',
    )
  }
  watchStore(honoContext)
}

const honoContext = { name: 'hono/context-storage', read: () => tryGetContext?.() }
