/** The variables of `heddle()` are typed where it is used, and nowhere else. */
import type { Scope } from '@heddle/context'
import { heddle, type HeddleVariables } from '@heddle/hono'
import { expectTypeOf } from 'expect-type'
import { Hono } from 'hono'

new Hono().use(heddle()).get('/', (c) => {
  expectTypeOf(c.var.requestId).toEqualTypeOf<string>()
  expectTypeOf(c.var.scope).toEqualTypeOf<Scope>()
  expectTypeOf(c.get('scope')).toEqualTypeOf<Scope>()
  return c.text('')
})

new Hono<{ Variables: HeddleVariables & { user: string } }>().use(heddle()).get('/', (c) => {
  expectTypeOf(c.var.user).toEqualTypeOf<string>()
  return c.text(c.var.requestId)
})

// Another app of the same program, in whose routes nothing of ours is promised.
new Hono().get('/', (c) => {
  // @ts-expect-error no `heddle()` before it
  void c.var.scope
  return c.text('')
})
