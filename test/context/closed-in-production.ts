/** Run by closed.test.ts, in production: uses a scope after its close, and prints the warning. */
import { subscribe } from 'node:diagnostics_channel'

import { createKey, runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'

const messages: string[] = []
subscribe('heddle:warning', (message) => {
  messages.push((message as { readonly message: string }).message)
})
const name = createKey<string>('test.closed.name')
const read = runRequest({ id: 'r1', entries: [name.of('x')] }, (scope) => () => scope.get(name))
await new Promise((resolve) => setTimeout(resolve, 2))
const value = read() ?? null
const used = [...messages]

const tenant = createKey<string>('test.closed.tenant', { batch: 'partition' })
const seen: unknown[] = []
const batcher = createBatcher<number, number>({
  name: 'late',
  run: (inputs) => {
    seen.push(tenant.get())
    return inputs
  },
})
const submit = runRequest({ entries: [tenant.of('acme')] }, () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const late = promise.then(() => batcher.submit(1)).catch((error: unknown) => error)
  return { late, resolve }
})
submit.resolve()
const { code, cause } = (await submit.late) as { code: unknown; cause: { code: unknown } }
console.log(JSON.stringify({ value, messages: used, late: [code, cause.code], seen }))
