/** Loads two keys without `process.nextTick`, as in a browser, with the class of the module in the first argument. */
import { writeSync } from 'node:fs'

import type { LoaderClass } from './both.ts'

Reflect.set(process, 'nextTick', undefined)
// Without it an uncaught error is not told on every runtime.
process.on('uncaughtException', () => process.exit(1))
const module = (await import(process.argv[2] ?? '')) as { readonly default: LoaderClass }
const loader = new module.default<number, number>(async (keys) => keys)
writeSync(1, String(await Promise.all([loader.load(1), loader.load(2)])))
process.exit(0)
