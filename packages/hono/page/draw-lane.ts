import { fit } from './dom.ts'
import { duration } from './format.ts'
import type { Lane } from './lane.ts'
import { Layout, visibleBatches } from './layout.ts'
import type { Batch, Item, Model } from './model.ts'
import { hueOf, palette } from './palette.ts'
import type { Selection } from './selection.ts'
import { gridTimes } from './ticks.ts'
import type { Viewport } from './viewport.ts'

/** With more waits than this in view they are drawn as an area: no eye could tell them apart. */
const MAX_THREADS = 2500
/** px that a batch needs for its waits to bend into it. */
const BEND = 14
/** Rows, and how much of them is left when they are not needed. */
const LEAST_TRACKS = 10
const SHRINKING = 0.985
const TAU = Math.PI * 2

/** What of a lane is drawn, for finding out what somebody points at. */
export interface Drawn {
  readonly layout: Layout
  readonly visible: readonly Batch[]
  /** Rows for waits, see `Scene`. */
  readonly tracks: number
}

export interface Scene {
  readonly lane: Lane
  readonly view: Viewport
  readonly model: Model
  readonly selection: Selection
  /** px for the waits above the batches. */
  readonly waits: number
  /** Rows that there was room for last time: it grows at once and shrinks slowly, so that nothing jumps. */
  readonly tracks: number
}

export function drawLane(
  canvas: HTMLCanvasElement,
  { lane, view, model, selection, waits, tracks: before }: Scene,
): Drawn {
  const visible = visibleBatches(lane, view)
  const { context, width, height } = fit(canvas)
  let tracks = Math.max(LEAST_TRACKS, before * SHRINKING)
  let threads = 0
  for (const { items } of visible) {
    threads += items.length
    for (const { track } of items) if (track >= tracks) tracks = track + 1
  }
  const layout = new Layout(lane, view, { width, waits, tracks })
  const painter = new Painter(context, layout, model, selection, height)
  painter.grid()
  if (threads > MAX_THREADS) painter.area(visible)
  else painter.threads(visible)
  painter.blocks(visible)
  painter.lost()
  painter.selected(visible)
  return { layout, visible, tracks }
}

class Painter {
  readonly #to: CanvasRenderingContext2D
  readonly #layout: Layout
  readonly #model: Model
  readonly #selection: Selection
  readonly #height: number

  constructor(
    to: CanvasRenderingContext2D,
    layout: Layout,
    model: Model,
    selection: Selection,
    height: number,
  ) {
    this.#to = to
    this.#layout = layout
    this.#model = model
    this.#selection = selection
    this.#height = height
  }

  grid(): void {
    const { view, width } = this.#layout
    this.#to.fillStyle = palette().grid
    for (const time of gridTimes(view, width)) {
      this.#to.fillRect(Math.round(this.#layout.x(time)), 0, 1, this.#height)
    }
    this.#to.fillRect(0, this.#layout.waitBottom + 5, width, 1)
  }

  /** The waits as lines that end in their batch; one path for each colour. */
  threads(visible: readonly Batch[]): void {
    const paths = new Map<string, Path2D>()
    for (const batch of visible) {
      const hue = this.#hue(batch)
      let path = paths.get(hue)
      if (path === undefined) paths.set(hue, (path = new Path2D()))
      for (const item of batch.items) this.#thread(path, item)
    }
    this.#to.globalAlpha = this.#selection.batch ? 0.22 : 0.62
    this.#to.lineWidth = Math.min(2.25, Math.max(0.75, this.#layout.pitch * 0.5))
    for (const [hue, path] of paths) {
      this.#to.strokeStyle = hue
      this.#to.stroke(path)
    }
    this.#to.globalAlpha = 1
  }

  #thread(path: Path2D, item: Item): void {
    const layout = this.#layout
    const { batch } = item
    const right = layout.x(batch.startedAt)
    const left = Math.min(layout.x(item.submittedAt), right)
    if (right < 0 || left > layout.width) return
    const y = layout.waitY(item.track)
    const top = layout.blockY(batch.slot) + 1
    // They come together as wide as the block is, so that each is seen to go in.
    const room = Math.max(0, layout.x(layout.endOf(batch)) - right - 4)
    const spread = Math.min(room, batch.items.length * 3)
    const place = batch.items.length < 2 ? 0.5 : itemShare(item)
    const bend = Math.min(BEND, room)
    path.moveTo(Math.max(left, -2), y)
    path.lineTo(right - 0.5, y)
    if (bend < 3) path.lineTo(right - 0.5, top)
    else {
      const x = right + 2 + spread * place
      path.bezierCurveTo(right + bend * 0.7, y, x, y + (top - y) * 0.35, x, top)
    }
  }

  /** How many wait at each time. */
  area(visible: readonly Batch[]): void {
    const { width, waitBottom, pitch } = this.#layout
    const changes = new Int32Array(Math.ceil(width) + 1)
    const column = (time: number): number =>
      Math.min(changes.length - 1, Math.max(0, Math.round(this.#layout.x(time))))
    for (const { items, startedAt } of visible) {
      for (const { submittedAt } of items) {
        changes[column(submittedAt)]! += 1
        changes[column(startedAt)]! -= 1
      }
    }
    const path = new Path2D()
    path.moveTo(0, waitBottom)
    let depth = 0
    for (const [x, change] of changes.entries()) {
      depth += change
      path.lineTo(x, waitBottom - depth * pitch)
    }
    path.lineTo(width, waitBottom)
    this.#to.fillStyle = palette().accent
    this.#to.globalAlpha = 0.3
    this.#to.fill(path)
    this.#to.globalAlpha = 1
  }

  blocks(visible: readonly Batch[]): void {
    const { blockHeight, slotHeight } = this.#layout
    const edges: number[] = []
    for (const batch of visible) {
      const left = this.#layout.x(batch.startedAt)
      const right = this.#layout.x(this.#layout.endOf(batch))
      const edge = edges[batch.slot] ?? Number.NEGATIVE_INFINITY
      // Many batches in one pixel are one.
      if (right < edge + 0.5 || left > this.#layout.width) continue
      edges[batch.slot] = right
      const isDimmed = this.#selection.batch !== undefined && this.#selection.batch !== batch
      const y = this.#layout.blockY(batch.slot)
      this.#to.globalAlpha = isDimmed ? 0.36 : batch.endedAt === undefined ? 0.55 : 0.92
      this.#to.fillStyle = batch.error ? palette().error : this.#hue(batch)
      const width = Math.max(1, right - left - (right - left > 4 ? 1 : 0))
      this.#to.beginPath()
      this.#to.roundRect(left, y, width, blockHeight, Math.min(4, width / 2, blockHeight / 2))
      this.#to.fill()
      if (slotHeight >= 16 && width > 22 && !isDimmed) this.#label(batch, left, y, width)
    }
    this.#to.globalAlpha = 1
  }

  #label(batch: Batch, left: number, y: number, width: number): void {
    const from = Math.max(left, 0)
    const room = left + width - from - 10
    this.#to.fillStyle = palette().surface
    this.#to.font = `600 11px ${palette().font}`
    this.#to.textBaseline = 'middle'
    this.#to.textAlign = 'left'
    const short = String(batch.size)
    const took = batch.endedAt === undefined ? 'running' : duration(batch.endedAt - batch.startedAt)
    const texts = [
      `${batch.size} items · ${took} · ${batch.reason}`,
      `${batch.size} · ${took}`,
      short,
    ]
    const text = texts.find((one) => this.#to.measureText(one).width <= room)
    if (text) this.#to.fillText(text, from + 6, y + this.#layout.blockHeight / 2 + 0.5)
  }

  /** What never ran ends in a cross. */
  lost(): void {
    const { lane, view, waitBottom } = this.#layout
    this.#to.strokeStyle = palette().error
    this.#to.lineWidth = 1.5
    this.#to.beginPath()
    for (const { endedAt, submittedAt } of lane.lost) {
      if (endedAt < view.start || submittedAt > view.end) continue
      const x = this.#layout.x(endedAt)
      const y = waitBottom - 3
      this.#to.moveTo(this.#layout.x(submittedAt), y)
      this.#to.lineTo(x, y)
      this.#to.moveTo(x - 3, y - 3)
      this.#to.lineTo(x + 3, y + 3)
      this.#to.moveTo(x - 3, y + 3)
      this.#to.lineTo(x + 3, y - 3)
    }
    this.#to.stroke()
  }

  selected(visible: readonly Batch[]): void {
    const { batch, item } = this.#selection
    if (batch === undefined || !visible.includes(batch)) return
    const path = new Path2D()
    for (const one of batch.items) this.#thread(path, one)
    this.#to.strokeStyle = this.#hue(batch)
    this.#to.lineWidth = Math.min(2, Math.max(1, this.#layout.pitch * 0.6))
    this.#to.globalAlpha = item ? 0.5 : 0.95
    this.#to.stroke(path)
    this.#to.globalAlpha = 1
    this.#outline(batch)
    if (item) this.#own(item)
  }

  #outline(batch: Batch): void {
    const left = this.#layout.x(batch.startedAt)
    const width = Math.max(2, this.#layout.x(this.#layout.endOf(batch)) - left)
    this.#to.strokeStyle = palette().text
    this.#to.lineWidth = 2
    this.#to.beginPath()
    const y = this.#layout.blockY(batch.slot)
    this.#to.roundRect(left - 2, y - 2, width + 3, this.#layout.blockHeight + 4, 6)
    this.#to.stroke()
  }

  /** The selected item's own way: a dot where it was submitted, a line to its outcome. */
  #own(item: Item): void {
    const left = this.#layout.x(item.submittedAt)
    const y = this.#layout.waitY(item.track)
    const path = new Path2D()
    this.#thread(path, item)
    this.#to.strokeStyle = palette().text
    this.#to.fillStyle = palette().text
    this.#to.lineWidth = 2
    this.#to.stroke(path)
    this.#to.beginPath()
    this.#to.arc(left, y, 4, 0, TAU)
    this.#to.fill()
    this.#caption(`queue ${duration(item.queued)}`, Math.max(4, left), y - 10)
    if (item.ran === undefined) return
    const { batch } = item
    const end = this.#layout.x(this.#layout.endOf(batch))
    const middle = this.#layout.blockY(batch.slot) + this.#layout.blockHeight / 2
    this.#caption(`run ${duration(item.ran)}`, end + 8, middle)
  }

  #caption(text: string, x: number, y: number): void {
    this.#to.font = `600 11px ${palette().font}`
    const width = this.#to.measureText(text).width + 10
    const left = Math.min(x, this.#layout.width - width - 2)
    const top = Math.max(1, y - 9)
    this.#to.fillStyle = palette().text
    this.#to.beginPath()
    this.#to.roundRect(left, top, width, 17, 4)
    this.#to.fill()
    this.#to.fillStyle = palette().surface
    this.#to.textBaseline = 'middle'
    this.#to.textAlign = 'left'
    this.#to.fillText(text, left + 5, top + 9)
  }

  #hue({ partition }: Batch): string {
    return hueOf(partition, this.#model.partitions)
  }
}

/** From 0 to 1, in the order of the batch. */
function itemShare(item: Item): number {
  return item.place / (item.batch.items.length - 1)
}
