import { isDevelopment } from './warning.ts'

/** How many snapshots are about. Counted in development alone. */
export interface SnapshotCount {
  /** Captured and not released yet. */
  readonly open: number
  /** Not released when the garbage collector found them: each held its request until then. */
  readonly lost: number
}

let open = 0
let lost = 0

// Once, at the start, as for every capture it would cost more than the capture.
const collected = isDevelopment()
  ? new FinalizationRegistry<undefined>(() => {
      open -= 1
      lost += 1
    })
  : undefined

/** Snapshots that were captured and never released keep what they hold: this tells whether there are any. */
export function snapshotCount(): SnapshotCount {
  return { open, lost }
}

export function countCapture(snapshot: object): void {
  if (collected === undefined) return
  open += 1
  collected.register(snapshot, undefined, snapshot)
}

export function countRelease(snapshot: object): void {
  if (collected?.unregister(snapshot)) open -= 1
}
