/** The program of `bun --hot`: says at each evaluation what it finds. */
import { report } from './keys.ts'

console.log(JSON.stringify(report()))
// It stays, as a server does.
setInterval(() => {}, 60_000)
