import { fit } from './dom.ts'
import { drawSelected } from './draw-selected.ts'
import { duration } from './format.ts'
import type { Lane } from './lane.ts'
import { Layout, visibleBatches } from './layout.ts'
import type { Batch, Model } from './model.ts'
import { hueOf, palette } from './palette.ts'
import type { Selection } from './selection.ts'
import { addThreads } from './thread.ts'
import { gridTimes } from './ticks.ts'
import type { Viewport } from './viewport.ts'

/** With more waits than this in view, of all lanes, they are an area: no eye could tell them apart. */
const MAX_THREADS = 4000
/** px. What is narrower has no corners to be seen. */
const ROUND = 4
/** Rows, and how much of them is left when they are not needed. */
const LEAST_TRACKS = 10
const SHRINKING = 0.985

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
  if (threads * model.lanes.length > MAX_THREADS) painter.area(visible)
  else painter.threads(visible)
  painter.blocks(visible)
  painter.lost()
  if (selection.batch && visible.includes(selection.batch)) {
    drawSelected(context, layout, selection, model.partitions)
  }
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
      addThreads(path, this.#layout, batch)
    }
    this.#to.globalAlpha = this.#selection.batch ? 0.22 : 0.62
    this.#to.lineWidth = Math.min(2.25, Math.max(0.75, this.#layout.pitch * 0.5))
    for (const [hue, path] of paths) {
      this.#to.strokeStyle = hue
      this.#to.stroke(path)
    }
    this.#to.globalAlpha = 1
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
      if (width < ROUND) this.#to.fillRect(left, y, width, blockHeight)
      else {
        this.#to.beginPath()
        this.#to.roundRect(left, y, width, blockHeight, Math.min(4, width / 2, blockHeight / 2))
        this.#to.fill()
      }
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

  #hue({ partition }: Batch): string {
    return hueOf(partition, this.#model.partitions)
  }
}
