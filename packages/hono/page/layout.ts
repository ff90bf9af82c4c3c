import type { Lane } from './lane.ts'
import type { Batch, Item } from './model.ts'
import type { Viewport } from './viewport.ts'

/** px. */
const TOP = 18
const GAP = 10
const BOTTOM = 10
const SLOT = 26
/** More batches at a time than this share the room. */
const MAX_SLOTS = 5
const MAX_PITCH = 11

/** Where things are in the picture of a lane. */
export class Layout {
  readonly width: number
  readonly height: number
  readonly view: Viewport
  readonly lane: Lane
  /** Where the waits stand. */
  readonly waitBottom: number
  /** px from one wait to the next. */
  readonly pitch: number
  readonly slotHeight: number

  constructor(
    lane: Lane,
    view: Viewport,
    {
      width,
      waits,
      tracks,
    }: { readonly width: number; readonly waits: number; readonly tracks: number },
  ) {
    this.lane = lane
    this.view = view
    this.width = width
    this.height = heightOf(lane, waits)
    this.waitBottom = TOP + waits
    this.pitch = Math.min(MAX_PITCH, waits / Math.max(1, tracks))
    this.slotHeight = (SLOT * Math.min(MAX_SLOTS, lane.slots)) / lane.slots
  }

  x(time: number): number {
    return ((time - this.view.start) / this.view.span) * this.width
  }

  time(x: number): number {
    return this.view.start + (x / this.width) * this.view.span
  }

  /** The waits stand on the batches: the first track is the lowest. */
  waitY(track: number): number {
    return this.waitBottom - (track + 0.5) * this.pitch
  }

  blockY(slot: number): number {
    return this.waitBottom + GAP + slot * this.slotHeight
  }

  get blockHeight(): number {
    return Math.max(2, this.slotHeight - 4)
  }

  endOf(batch: Batch): number {
    return batch.endedAt ?? Math.max(this.view.end, batch.startedAt)
  }

  /** The batch at this place, or the one nearest to it. */
  batchAt(x: number, y: number, visible: readonly Batch[]): Batch | undefined {
    let best: Batch | undefined
    let least = REACH
    for (const batch of visible) {
      const [left, right] = [this.x(batch.startedAt), this.x(this.endOf(batch))]
      const dx = Math.max(left - x, x - right, 0)
      const top = this.blockY(batch.slot)
      const dy = Math.max(top - y, y - top - this.blockHeight, 0)
      const distance = dx + dy
      if (distance < least) {
        least = distance
        best = batch
      }
    }
    return best
  }

  /** The wait at this place. */
  itemAt(x: number, y: number, visible: readonly Batch[]): Item | undefined {
    if (y > this.waitBottom + GAP / 2) return undefined
    let best: Item | undefined
    let least = REACH
    for (const batch of visible) {
      const right = this.x(batch.startedAt)
      for (const item of batch.items) {
        const left = this.x(item.submittedAt)
        const distance = Math.max(left - x, x - right, 0) + Math.abs(this.waitY(item.track) - y)
        if (distance < least) {
          least = distance
          best = item
        }
      }
    }
    return best
  }
}

/** px. */
const REACH = 14

export function heightOf(lane: Lane, waits: number): number {
  return TOP + waits + GAP + SLOT * Math.min(MAX_SLOTS, lane.slots) + BOTTOM
}

/** Those of which something is to be seen, their waits included. */
export function visibleBatches(lane: Lane, view: Viewport): readonly Batch[] {
  const { batches } = lane
  const visible: Batch[] = []
  // What started after the right edge may have waited before it.
  const last = lane.indexAt(view.end + MARGIN)
  for (let index = last - 1; index >= 0; index -= 1) {
    const batch = batches[index] as Batch
    if ((batch.endedAt ?? Number.POSITIVE_INFINITY) >= view.start) visible.push(batch)
    // None that began so long before is still there, but for those that run long.
    else if (batch.startedAt < view.start - LOOK_BACK) break
  }
  return visible.toReversed()
}

/** ms. */
const MARGIN = 2000
const LOOK_BACK = 5000
