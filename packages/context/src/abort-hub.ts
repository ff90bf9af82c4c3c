/**
 * All who listen to one signal, as one of its listeners: a signal looks through all it has whenever one
 * comes or goes, so ten thousand items of one caller would cost each of them ten thousand looks.
 */
class AbortHub implements EventListenerObject {
  readonly listeners = new Set<EventListenerObject>()

  handleEvent(event: Event): void {
    // What one is told may end another: that one has left the set before its turn.
    for (const listener of this.listeners) listener.handleEvent(event)
  }
}

const hubs = new WeakMap<AbortSignal, AbortHub>()

/** Tells `listener` when the signal aborts, once. The signal must not have aborted yet. */
export function listenToAbort(signal: AbortSignal, listener: EventListenerObject): void {
  let hub = hubs.get(signal)
  if (hub === undefined) hubs.set(signal, (hub = new AbortHub()))
  if (hub.listeners.size === 0) signal.addEventListener('abort', hub, { once: true })
  hub.listeners.add(listener)
}

/** Does nothing if it does not listen. */
export function unlistenToAbort(signal: AbortSignal, listener: EventListenerObject): void {
  const hub = hubs.get(signal)
  if (hub?.listeners.delete(listener) && hub.listeners.size === 0) {
    signal.removeEventListener('abort', hub)
  }
}
