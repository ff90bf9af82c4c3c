/** Where a signal has who listens to it from here: on itself, since a map of all signals costs more than listening. */
const LISTENER: unique symbol = Symbol('@heddle/context/listener')

interface Signal extends AbortSignal {
  [LISTENER]?: EventListenerObject | undefined
}

/**
 * Several who listen to one signal, as one of its listeners: a signal looks through all it has whenever
 * one comes or goes, so ten thousand items of one caller would cost each of them ten thousand looks.
 */
class AbortHub implements EventListenerObject {
  readonly listeners = new Set<EventListenerObject>()

  handleEvent(event: Event): void {
    // What one is told may end another: that one has left the set before its turn.
    for (const listener of this.listeners) listener.handleEvent(event)
  }
}

/** Tells `listener` when the signal aborts. The signal must not have aborted yet. */
export function listenToAbort(signal: Signal, listener: EventListenerObject): void {
  const present = signal[LISTENER]
  if (present === undefined) attach(signal, listener)
  else if (present instanceof AbortHub) present.listeners.add(listener)
  else {
    const hub = new AbortHub()
    hub.listeners.add(present).add(listener)
    detach(signal, present)
    attach(signal, hub)
  }
}

/** Does nothing if it does not listen. */
export function unlistenToAbort(signal: Signal, listener: EventListenerObject): void {
  const present = signal[LISTENER]
  if (present === listener) detach(signal, listener)
  else if (present instanceof AbortHub && present.listeners.delete(listener)) {
    if (present.listeners.size === 0) detach(signal, present)
  }
}

// Without `once`, which costs Bun as much again: a signal aborts once, and whoever was told goes.

function attach(signal: Signal, listener: EventListenerObject): void {
  signal[LISTENER] = listener
  signal.addEventListener('abort', listener)
}

function detach(signal: Signal, listener: EventListenerObject): void {
  signal[LISTENER] = undefined
  signal.removeEventListener('abort', listener)
}
