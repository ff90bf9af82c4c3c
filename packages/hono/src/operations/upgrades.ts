import type { Socket } from './connection.ts'
import type { NodeServer } from './node-server.ts'

/**
 * Calls `upgraded` with the sockets that leave HTTP. A listener of ours alone would make Node take every
 * upgrade for accepted, so there is one as long as the app has one.
 */
export function followUpgrades(server: NodeServer, upgraded: (socket: Socket) => void): void {
  const follow = (_request: unknown, socket: Socket): void => upgraded(socket)
  let follows = false
  const added = (event: string): void => {
    if (event !== 'upgrade' || follows) return
    follows = true
    server.prependListener?.('upgrade', follow)
  }
  const listeners = (): number => server.listenerCount?.('upgrade') ?? 0
  if (listeners() > 0) added('upgrade')
  server.on('newListener', added)
  server.on('removeListener', (event: string) => {
    if (event !== 'upgrade' || !follows || listeners() !== 1) return
    follows = false
    server.removeListener?.('upgrade', follow)
  })
}
