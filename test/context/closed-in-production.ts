/** Run by closed.test.ts, in production: uses a scope after its close, and prints the warning. */
import { subscribe } from 'node:diagnostics_channel'

import { createKey, runRequest } from '@heddle/context'

const messages: string[] = []
subscribe('heddle:warning', (message) => {
  messages.push((message as { readonly message: string }).message)
})
const name = createKey<string>('test.closed.name')
const read = runRequest({ id: 'r1', entries: [name.of('x')] }, (scope) => () => scope.get(name))
await new Promise((resolve) => setTimeout(resolve, 2))
console.log(JSON.stringify({ value: read() ?? null, messages }))
