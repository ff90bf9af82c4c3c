import { runNeutral } from '@heddle/context'
import { platform } from '@heddle/context/engine'

import { addressOf, type BunServer } from './bun-server.ts'

/** ms between two looks at the responses that are on their way. */
const INTERVAL = 20

interface Poll {
  readonly server: BunServer
  readonly request: Request
  readonly onEnd: (isComplete: boolean) => void
}

/** It came to no server, so what tells a client's address for it is none, but an imitation in a test. */
const STRANGER = new Request('http://localhost/')

const polls = new Set<Poll>()
let timer: NodeJS.Timeout | undefined

/**
 * Calls `onEnd` within 20 ms after the response to `request` has ended, and touches neither. Bun knows the
 * client's address until then: for a text, a file, a stream, and for a client that leaves.
 *
 * @param request - the very object that the server passed to `fetch`
 * @returns whether the response can be followed: not one that has ended already, on a unix socket, or to a
 * request that no server has received
 */
export function pollResponse(
  server: BunServer,
  request: Request,
  onEnd: (isComplete: boolean) => void,
): boolean {
  if (!isOpen(server, request) || isOpen(server, STRANGER)) return false
  polls.add({ server, request, onEnd })
  // One for all, outside every request's context: a timer keeps the context it was made in.
  timer ??= runNeutral(() => platform.setInterval(look, INTERVAL).unref())
  return true
}

function look(): void {
  for (const poll of polls) {
    const { server, request, onEnd } = poll
    if (isOpen(server, request)) continue
    polls.delete(poll)
    onEnd(!request.signal.aborted)
  }
  if (polls.size > 0) return
  platform.clearInterval(timer)
  timer = undefined
}

function isOpen(server: BunServer, request: Request): boolean {
  return addressOf(server, request) !== undefined
}
