/** As much of a socket of Node as is needed here. */
export interface Carrier {
  readonly closed: boolean
  on(event: 'close', listener: () => void): unknown
  removeListener(event: 'close', listener: () => void): unknown
}

interface Queue {
  readonly closes: Set<() => void>
  readonly onClose: () => void
}

/** One listener for each connection: Node warns of more than ten, and a client may pipeline more requests. */
const queues = new WeakMap<Carrier, Queue>()

/**
 * For a response that waits behind another one on its connection. Node gives it the socket when it is its turn;
 * if the client leaves before, Node 22 never tells it.
 *
 * @param close - called when the connection closes
 * @returns what must be called when the response has ended otherwise: the connection lives on
 */
export function followCarrier(carrier: Carrier, close: () => void): () => void {
  const { closes, onClose } = queues.get(carrier) ?? newQueue(carrier)
  closes.add(close)
  return () => {
    if (!closes.delete(close) || closes.size > 0) return
    queues.delete(carrier)
    carrier.removeListener('close', onClose)
  }
}

function newQueue(carrier: Carrier): Queue {
  const closes = new Set<() => void>()
  const onClose = (): void => {
    for (const close of closes) close()
  }
  const queue = { closes, onClose }
  queues.set(carrier, queue)
  carrier.on('close', onClose)
  return queue
}
