import type { Update } from '../src/inspector/wire.ts'

export interface Listener {
  opened(): void
  updated(update: Update): void
  lost(): void
}

/** Listens to the server, and again when it has been away. */
export function connect(listener: Listener): void {
  const { url } = import.meta
  const source = new EventSource(new URL('events', url))
  source.addEventListener('open', () => listener.opened())
  source.addEventListener('message', ({ data }: MessageEvent<string>) => {
    listener.updated(JSON.parse(data) as Update)
  })
  source.addEventListener('error', () => listener.lost())
}
