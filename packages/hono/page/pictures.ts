import { fit } from './dom.ts'
import type { Lane } from './lane.ts'
import { palette } from './palette.ts'
import type { Viewport } from './viewport.ts'

/** ms that the pictures beside a lane go back. */
const HISTORY = 10_000
const OVERVIEW = 30_000
/** px between bars. */
const SPACE = 1

/** How many waited in the last seconds. */
export function drawDepth(canvas: HTMLCanvasElement, lane: Lane, now: number): void {
  const { context, width, height } = fit(canvas)
  const readings = lane.readings.filter(({ at }) => at >= now - HISTORY)
  const most = Math.max(4, ...readings.map(({ peak }) => peak))
  const line = new Path2D()
  const x = (at: number): number => ((at - now + HISTORY) / HISTORY) * width
  const y = (value: number): number => height - 1.5 - (value / most) * (height - 4)
  for (const [index, { at, peak }] of readings.entries()) {
    if (index === 0) line.moveTo(x(at), y(peak))
    else line.lineTo(x(at), y(peak))
  }
  const first = readings[0]
  const last = readings.at(-1)
  if (first === undefined || last === undefined) return
  const area = new Path2D(line)
  area.lineTo(x(last.at), height)
  area.lineTo(x(first.at), height)
  context.fillStyle = palette().accent
  context.globalAlpha = 0.14
  context.fill(area)
  context.globalAlpha = 1
  context.strokeStyle = palette().accent
  context.lineWidth = 1.5
  context.lineJoin = 'round'
  context.stroke(line)
}

/** Bars of how often each class was there; the one at `marked` stands out. */
export function drawBars(canvas: HTMLCanvasElement, counts: readonly number[]): void {
  const { context, width, height } = fit(canvas)
  const most = Math.max(1, ...counts)
  const room = width / counts.length
  for (const [index, value] of counts.entries()) {
    const bar = value === 0 ? 1 : Math.max(2, (value / most) * (height - 1))
    context.fillStyle = value === 0 ? palette().line : palette().accent
    context.globalAlpha = value === 0 ? 1 : 0.35 + 0.65 * (value / most)
    context.fillRect(index * room, height - bar, Math.max(1, room - SPACE), bar)
  }
  context.globalAlpha = 1
}

/** Items of all batchers per 100 ms, and which of it is in view. */
export function drawOverview(
  canvas: HTMLCanvasElement,
  lanes: readonly Lane[],
  view: Viewport,
  now: number,
): void {
  const { context, width, height } = fit(canvas)
  const columns = Math.max(1, Math.round(width / 4))
  const items = new Float64Array(columns)
  const start = now - OVERVIEW
  for (const { readings } of lanes) {
    for (const [index, { at, items: total }] of readings.entries()) {
      const before = readings[index - 1]
      if (before === undefined) continue
      const column = Math.floor(((at - start) / OVERVIEW) * columns)
      if (column >= 0 && column < columns) items[column]! += Math.max(0, total - before.items)
    }
  }
  const most = Math.max(1, ...items)
  context.fillStyle = palette().muted
  context.globalAlpha = 0.55
  for (const [column, value] of items.entries()) {
    const bar = (value / most) * (height - 8)
    context.fillRect((column / columns) * width, height - bar - 2, width / columns - SPACE, bar)
  }
  context.globalAlpha = 1
  const left = Math.max(0, ((view.start - start) / OVERVIEW) * width)
  const right = Math.min(width, ((view.end - start) / OVERVIEW) * width)
  const frame = Math.max(3, right - left)
  context.fillStyle = palette().accent
  context.globalAlpha = 0.16
  context.fillRect(left, 0, frame, height)
  context.globalAlpha = 1
  context.fillRect(left, height - 2, frame, 2)
}

/** The time at a place of the overview. */
export function overviewTime(share: number, now: number): number {
  return now - OVERVIEW + share * OVERVIEW
}
