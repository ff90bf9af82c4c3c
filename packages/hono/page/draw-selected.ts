import { duration } from './format.ts'
import type { Layout } from './layout.ts'
import type { Item } from './model.ts'
import { hueOf, palette } from './palette.ts'
import type { Selection } from './selection.ts'
import { addThread } from './thread.ts'

const TAU = Math.PI * 2

/** Draws what is selected over everything else. */
export function drawSelected(
  to: CanvasRenderingContext2D,
  layout: Layout,
  { batch, item }: Selection,
  partitions: readonly string[],
): void {
  if (batch === undefined) return
  const path = new Path2D()
  for (const one of batch.items) addThread(path, layout, one)
  to.strokeStyle = hueOf(batch.partition, partitions)
  to.lineWidth = Math.min(2, Math.max(1, layout.pitch * 0.6))
  to.globalAlpha = item ? 0.5 : 0.95
  to.stroke(path)
  to.globalAlpha = 1
  const left = layout.x(batch.startedAt)
  const width = Math.max(2, layout.x(layout.endOf(batch)) - left)
  to.strokeStyle = palette().text
  to.lineWidth = 2
  to.beginPath()
  to.roundRect(left - 2, layout.blockY(batch.slot) - 2, width + 3, layout.blockHeight + 4, 6)
  to.stroke()
  if (item) drawOwn(to, layout, item)
}

/** The selected item's own way: a dot where it was submitted, a line to its batch, and how long each took. */
function drawOwn(to: CanvasRenderingContext2D, layout: Layout, item: Item): void {
  const left = layout.x(item.submittedAt)
  const y = layout.waitY(item.track)
  const path = new Path2D()
  addThread(path, layout, item)
  to.strokeStyle = palette().text
  to.fillStyle = palette().text
  to.lineWidth = 2
  to.stroke(path)
  to.beginPath()
  to.arc(left, y, 4, 0, TAU)
  to.fill()
  drawCaption(to, layout, `queue ${duration(item.queued)}`, [Math.max(4, left), y - 10])
  if (item.ran === undefined) return
  const end = layout.x(layout.endOf(item.batch))
  const middle = layout.blockY(item.batch.slot) + layout.blockHeight / 2
  drawCaption(to, layout, `run ${duration(item.ran)}`, [end + 8, middle])
}

function drawCaption(
  to: CanvasRenderingContext2D,
  layout: Layout,
  text: string,
  [x, y]: readonly [number, number],
): void {
  to.font = `600 11px ${palette().font}`
  const width = to.measureText(text).width + 10
  const left = Math.min(x, layout.width - width - 2)
  const top = Math.max(1, y - 9)
  to.fillStyle = palette().text
  to.beginPath()
  to.roundRect(left, top, width, 17, 4)
  to.fill()
  to.fillStyle = palette().surface
  to.textBaseline = 'middle'
  to.textAlign = 'left'
  to.fillText(text, left + 5, top + 9)
}
