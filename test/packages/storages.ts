/**
 * Run by storages.test.ts: uses all packages in production and prints how many AsyncLocalStorages were
 * used in the process. In development the leak detector looks at Hono's, too. `--another` uses one more.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

// Seen by their use, since Bun's modules do not see a class that was put in the place of its own.
const used = new Set<object>()
for (const name of ['run', 'getStore'] as const) {
  const original = AsyncLocalStorage.prototype[name] as (...args: unknown[]) => unknown
  AsyncLocalStorage.prototype[name] = function (this: object, ...args: unknown[]): never {
    used.add(this)
    return original.apply(this, args) as never
  }
}

const { createKey, runRequest, Snapshot } = await import('@heddle/context')
const { createBatcher } = await import('@heddle/core')
const { instrumentBatchers } = await import('@heddle/otel')
const { heddle } = await import('@heddle/hono')
const { Hono } = await import('hono')

instrumentBatchers()
const name = createKey<string>('test.storages.name', { batch: 'partition' })
const batchers = [1, 2].map((n) =>
  createBatcher({ name: `storages-${n}`, run: (inputs: readonly number[]) => inputs }),
)
const app = new Hono()
app.use(heddle())
app.get('/', async (c) => {
  const snapshot = Snapshot.capture()
  const answers = await Promise.all(batchers.map((batcher) => batcher.submit(1)))
  return c.json(snapshot.run(() => answers))
})
for (let n = 0; n < 10; n += 1) {
  const response = await app.request('/')
  if (response.status !== 200) throw new Error(`Expected 200, got ${response.status}`)
  await runRequest({ entries: [name.of('x')] }, () => batchers[0]?.submit(n))
}
if (process.argv.includes('--another')) new AsyncLocalStorage().run(1, () => {})
console.log(used.size)
