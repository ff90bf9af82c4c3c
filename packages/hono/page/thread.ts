import type { Layout } from './layout.ts'
import type { Batch, Item } from './model.ts'

/** px that a batch needs for its waits to bend into it. */
const BEND = 14
const LEAST_BEND = 3
/** px. Waits that are no longer are one line. */
const DOT = 2

/** Adds the waits of a batch. */
export function addThreads(path: Path2D, layout: Layout, batch: Batch): void {
  const right = layout.x(batch.startedAt)
  if (batch.items.length === 0 || right < 0 || layout.x(batch.from) > layout.width) return
  if (right - layout.x(batch.from) < DOT && bendOf(layout, batch) < LEAST_BEND) {
    addPole(path, layout, batch, right)
  } else for (const item of batch.items) addThread(path, layout, item)
}

/** Adds one wait: a line that bends into its batch when that starts. */
export function addThread(path: Path2D, layout: Layout, item: Item): void {
  const { batch } = item
  const right = layout.x(batch.startedAt)
  const left = Math.min(layout.x(item.submittedAt), right)
  if (right < 0 || left > layout.width) return
  const y = layout.waitY(item.track)
  const top = layout.blockY(batch.slot) + 1
  const bend = bendOf(layout, batch)
  path.moveTo(Math.max(left, -2), y)
  path.lineTo(right - 0.5, y)
  if (bend < LEAST_BEND) {
    path.lineTo(right - 0.5, top)
    return
  }
  // They come together as wide as the block is, so that each is seen to go in.
  const spread = Math.min(room(layout, batch), batch.items.length * 3)
  const place = batch.items.length < 2 ? 0.5 : item.place / (batch.items.length - 1)
  const x = right + 2 + spread * place
  path.bezierCurveTo(right + bend * 0.7, y, x, y + (top - y) * 0.35, x, top)
}

function addPole(path: Path2D, layout: Layout, batch: Batch, x: number): void {
  let highest = 0
  for (const { track } of batch.items) highest = Math.max(highest, track)
  path.moveTo(x - 0.5, layout.waitY(highest))
  path.lineTo(x - 0.5, layout.blockY(batch.slot) + 1)
}

function bendOf(layout: Layout, batch: Batch): number {
  return Math.min(BEND, room(layout, batch))
}

/** px inside the block. */
function room(layout: Layout, batch: Batch): number {
  return Math.max(0, layout.x(layout.endOf(batch)) - layout.x(batch.startedAt) - 4)
}
