/** Run by parent.test.ts: tells its parent something when the way to it is closed, and then would stay. */
import { tellParent } from './parent.ts'

process.disconnect?.()
tellParent({ late: true })
setTimeout(() => console.error('It is still here'), 3_600_000)
