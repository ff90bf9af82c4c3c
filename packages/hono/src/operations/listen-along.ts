import type { Listener, NodeServer } from './node-server.ts'

/**
 * Listens to what a server does in another way as soon as anybody listens: it would take every upgrade for
 * accepted, and leave every `Expect` to the app. So each listener is there, before the app's own, as long as
 * the app has one.
 *
 * @param listeners - by their events
 */
export function listenAlong(server: NodeServer, listeners: ReadonlyMap<string, Listener>): void {
  const following = new Set<string>()
  const added = (event: string): void => {
    const listener = listeners.get(event)
    if (listener === undefined || following.has(event)) return
    following.add(event)
    server.prependListener?.(event, listener)
  }
  const count = (event: string): number => server.listenerCount?.(event) ?? 0
  for (const event of listeners.keys()) if (count(event) > 0) added(event)
  server.on('newListener', added)
  server.on('removeListener', (event: string) => {
    const listener = listeners.get(event)
    if (listener === undefined || count(event) !== 1 || !following.delete(event)) return
    server.removeListener?.(event, listener)
  })
}
