/** Run by guard-patch.test.ts: prints when `getStore` of every AsyncLocalStorage is another function. */
import { AsyncLocalStorage } from 'node:async_hooks'

const original = Reflect.get(AsyncLocalStorage.prototype, 'getStore') as unknown
const isPatched = (): boolean => Reflect.get(AsyncLocalStorage.prototype, 'getStore') !== original

const { adopt, createKey, runRequest } = await import('@heddle/context')
const { createBatcher } = await import('@heddle/core')
await import('@heddle/hono')
adopt(new AsyncLocalStorage(), { name: 'test.patched', batch: 'partition' })
runRequest({}, () => createKey('test.patched.key').get())
const atImport = isPatched()
createBatcher({ name: 'patched', run: (inputs: readonly number[]) => inputs })
const first = Reflect.get(AsyncLocalStorage.prototype, 'getStore') as unknown
const atFirst = isPatched()
createBatcher({ name: 'patched again', run: (inputs: readonly number[]) => inputs })
const isSame = Reflect.get(AsyncLocalStorage.prototype, 'getStore') === first
console.log(JSON.stringify({ atImport, atFirst, isSame }))
