/**
 * `pnpm demo`: the same app before and after, under the same load, and whose answers were whose.
 * Then, on a terminal, it goes on under load for the inspector, whose address it prints.
 * Options: `--seconds 4 --connections 64 --port 3000 --no-look`.
 */
import { parseArgs } from 'node:util'

import { readNumber, readWhole } from './arguments.ts'
import { stopAll } from './children.ts'
import { look } from './look.ts'
import { measure, type MeasureOptions } from './measure.ts'
import { Progress } from './progress.ts'
import { checks, table, type Measurements } from './report.ts'

async function main(): Promise<void> {
  const options = readArguments()
  const progress = new Progress(process.stdout)
  const measurements = {
    before: await measure('before', options, progress),
    after: await measure('after', options, progress),
    // Its speed is not the point.
    dataloader: await measure('dataloader', { ...options, seconds: 2 }, progress),
  }
  progress.end()
  console.log(table(measurements))
  console.log(checks(measurements))
  console.log(TRACES)
  const failures = failuresOf(measurements)
  for (const failure of failures) console.error(failure)
  if (failures.length > 0) process.exitCode = 1
  else if (options.look) await look(options.port)
}

/** pnpm brings the Node.js that runs this, also where an older one is installed. */
const TRACES = `
To see one request in Jaeger: start the server, send the request, look for the service \`cities\`.
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npx -y pnpm@12 exec node examples/cities/server.ts after --port 3000
  curl -H 'x-tenant: acme' 'http://127.0.0.1:3000/cities/nearest?lat=48.85&lon=2.35'`

function readArguments(): MeasureOptions & { readonly look: boolean } {
  // `pnpm demo -- --seconds 2` hands over the first dashes too.
  const args = process.argv.slice(2).filter((arg) => arg !== '--')
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      look: { type: 'boolean', default: process.stdout.isTTY },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '64' },
      port: { type: 'string', default: '0' },
    },
  })
  return {
    look: values.look,
    seconds: readNumber('seconds', values.seconds, 1, 600),
    connections: readWhole('connections', values.connections, 1, 1000),
    port: readWhole('port', values.port, 0, 65_535),
  }
}

/** What the demonstration has to show, as far as it did not. */
function failuresOf({ before, after, dataloader }: Measurements): string[] {
  const failures: string[] = []
  for (const [name, measurement] of Object.entries({ before, after })) {
    const { requests, mismatches, errors, examples } = measurement
    if (requests > 0 && mismatches + errors === 0) continue
    const counts = `${requests} answers, ${mismatches} of them wrong, ${errors} errors`
    failures.push([`${name} failed: ${counts}`, ...examples].join('\n  '))
  }
  if (dataloader.mismatches === 0) failures.push('DataLoader gave no wrong answer: see the load')
  return failures
}

let stopping: Promise<never> | undefined

/** Ends every process of the demo, then this one. */
function stop(exitCode: number): Promise<never> {
  stopping ??= stopAll().then(() => process.exit(exitCode))
  return stopping
}

process.once('SIGINT', () => void stop(130))
process.once('SIGTERM', () => void stop(143))
// Whoever read the output has left, `head` for example.
process.stdout.on('error', () => void stop(141))

main().catch((error: unknown) => {
  // Once it is interrupted, what fails is only that the others have stopped.
  if (stopping === undefined) console.error(error instanceof Error ? error.message : error)
  return stop(1)
})
