/** Run by dirty.test.ts: imports the engine for the first time inside a request of somebody else. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'

const somebodys = new AsyncLocalStorage<string>()
const codes: string[] = []
subscribe('heddle:warning', (message) => void codes.push((message as { code: string }).code))

if (process.argv.includes('--early')) await import('@heddle/core')
const { createBatcher } = await somebodys.run('request', () => import('@heddle/core'))
const seen: unknown[] = []
const batcher = createBatcher<number, number>({
  name: 'late',
  run: (inputs) => {
    seen.push(somebodys.getStore())
    return inputs
  },
})
await batcher.submit(1)
console.log(JSON.stringify({ seen: seen[0] ?? null, codes }))
