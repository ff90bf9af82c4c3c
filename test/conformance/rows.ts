import type { Group } from './row.ts'
import { asyncLocalStorage } from './rows/async-local-storage.ts'
import { callbacks } from './rows/callbacks.ts'
import { diagnostics } from './rows/diagnostics.ts'
import { events } from './rows/events.ts'
import { fetching } from './rows/fetch.ts'
import { generators } from './rows/generators.ts'
import { http } from './rows/http.ts'
import { modules } from './rows/modules.ts'
import { net } from './rows/net.ts'
import { nodeStreams } from './rows/node-streams.ts'
import { promises } from './rows/promises.ts'
import { servers } from './rows/serve-fetch.ts'
import { threads } from './rows/threads.ts'
import { timers } from './rows/timers.ts'
import { webStreams } from './rows/web-streams.ts'

/** Every boundary of the table, in its order. */
export const groups: readonly Group[] = [
  promises,
  generators,
  timers,
  events,
  diagnostics,
  callbacks,
  nodeStreams,
  webStreams,
  net,
  http,
  fetching,
  servers,
  threads,
  modules,
  asyncLocalStorage,
]
