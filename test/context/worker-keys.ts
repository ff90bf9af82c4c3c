import { type ContextKey, createKey } from '@heddle/context'

const text = { encode: (value: string) => value, decode: (value: string) => value }

// Each thread makes its own: a carrier knows keys by their names.
export const tenant: ContextKey<string> = createKey('test.worker.tenant', { carry: text })
export const local: ContextKey<string> = createKey('test.worker.local')
