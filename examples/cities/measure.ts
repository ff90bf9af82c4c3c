import { LoadProcess, ServerProcess } from './children.ts'
import type { LoadResult } from './messages.ts'
import type { Progress } from './progress.ts'

/** How one app did. */
export interface Measurement extends LoadResult {
  /** Requests per query. */
  readonly meanBatchSize: number
  readonly queries: number
  /** µs of the server process. */
  readonly cpuPerRequest: number
}

export interface MeasureOptions {
  readonly seconds: number
  readonly connections: number
  readonly port: number
}

/** s until the runtime has compiled what is hot, and the database has its pages in memory. */
const WARM_UP = 2

/** Starts the app in a process of its own and loads it from another one, after a warm-up. */
export async function measure(
  app: string,
  { seconds, connections, port }: MeasureOptions,
  progress: Progress,
): Promise<Measurement> {
  progress.step(`${app}: starting and loading its database …`)
  const server = await ServerProcess.start(app, port)
  const load = new LoadProcess()
  const { url } = server
  const show = (requests: number): void =>
    progress.detail(`${requests.toLocaleString('en')} requests`)

  progress.step(`${app}: warming up for ${WARM_UP} s …`)
  await load.run({ url, connections, seconds: WARM_UP, seed: 1 }, show)
  progress.step(`${app}: measuring for ${seconds} s with ${connections} connections …`)
  const before = await server.usage()
  const result = await load.run({ url, connections, seconds, seed: 2 }, show)
  const after = await server.usage()
  await Promise.all([load.stop(), server.stop()])

  const queries = after.queries - before.queries
  return {
    ...result,
    queries,
    meanBatchSize: result.requests / queries,
    cpuPerRequest: (after.cpu - before.cpu) / result.requests,
  }
}
