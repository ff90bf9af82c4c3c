/**
 * Nothing of ours is added to the variables of every app. `test:types` alone compiles this: in the
 * repository's own program other files import middleware of Hono that does add to them.
 */
import type { HeddleVariables } from '@heddle/hono'
import { expectTypeOf } from 'expect-type'
import type { ContextVariableMap } from 'hono'

expectTypeOf<keyof ContextVariableMap>().toEqualTypeOf<never>()
expectTypeOf<keyof HeddleVariables>().toEqualTypeOf<'scope' | 'requestId'>()
