/** A second module that has chosen the same name. */
import { type ContextKey, createKey } from '@heddle/context'

export const tenant: ContextKey<string> = createKey('test.reload.elsewhere', {
  carry: { encode: (value) => value, decode: (value) => value },
})
