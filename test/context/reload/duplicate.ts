/** A second module that has chosen the same name. */
import { type ContextKey, createKey } from '@heddle/context'

export const tenant: ContextKey<string> = createKey('test.reload.tenant', {
  carry: { encode: (value) => value, decode: (value) => value },
})
