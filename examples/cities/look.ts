import { LoadProcess, ServerProcess } from './children.ts'
import { INSPECTOR } from './inspect.ts'

/** Fewer than for measuring, so that the browser has a processor, too. */
const CONNECTIONS = 24
/** s of one turn of the load. */
const TURN = 60

/** Puts the app under load for somebody who looks at it, until the demo is interrupted. */
export async function look(port: number): Promise<never> {
  // The inspector is open to this machine in development alone.
  const { url } = await ServerProcess.start('after', port, { NODE_ENV: 'development' })
  console.log(`\nIts batches, while they run: ${url}${INSPECTOR}\nCtrl-C ends it.`)
  const load = new LoadProcess()
  for (let seed = 1; ; seed += 1) {
    await load.run({ url, connections: CONNECTIONS, seconds: TURN, seed }, nothing)
  }
}

function nothing(): void {}
