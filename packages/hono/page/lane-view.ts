import { make, write } from './dom.ts'
import { drawLane, type Drawn } from './draw-lane.ts'
import { count, duration } from './format.ts'
import type { Lane } from './lane.ts'
import { heightOf } from './layout.ts'
import type { Batch, Item, Model } from './model.ts'
import { drawBars, drawDepth } from './pictures.ts'
import type { Selection } from './selection.ts'
import type { Viewport } from './viewport.ts'

/** Upper limits of the classes of waits, in ms; the last has none. */
const WAITS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, Number.POSITIVE_INFINITY]

/** A lane on the page: its numbers, and its batches over time. */
export class LaneView {
  readonly element: HTMLElement
  readonly lane: Lane
  readonly canvas: HTMLCanvasElement
  readonly #queued = make('strong')
  readonly #size = make('strong')
  readonly #wait = make('strong')
  readonly #rate = make('span', { class: 'rate' })
  readonly #depth = make('canvas', { 'aria-hidden': 'true' })
  readonly #sizes = make('canvas', { 'aria-hidden': 'true' })
  readonly #waits = make('canvas', { 'aria-hidden': 'true' })
  #drawn: Drawn | undefined
  #height = 0

  constructor(lane: Lane) {
    this.lane = lane
    this.canvas = make('canvas', { role: 'img', 'aria-label': `Batches of ${lane.name} over time` })
    const head = make(
      'div',
      { class: 'lane-head' },
      make('h2', {}, make('span', { class: 'name' }, lane.name), this.#rate),
      metric(
        'Waiting',
        this.#queued,
        this.#depth,
        'Items in the queue now; the picture: last 10 s',
      ),
      metric(
        'Batch size',
        this.#size,
        this.#sizes,
        'Mean of the last batches; the picture: how many of which size',
      ),
      metric(
        'Wait',
        this.#wait,
        this.#waits,
        'Median of the last waits; the picture: 0.5 ms to 250 ms and more',
      ),
    )
    this.element = make('section', { class: 'lane', 'aria-label': lane.name }, head, this.canvas)
  }

  /** @param waits - px for the waits above the batches */
  draw(view: Viewport, model: Model, selection: Selection, waits: number): void {
    const height = heightOf(this.lane, waits)
    if (height !== this.#height) {
      this.#height = height
      this.canvas.style.height = `${height}px`
    }
    this.#drawn = drawLane(this.canvas, {
      lane: this.lane,
      view,
      model,
      selection,
      waits,
      tracks: this.#drawn?.tracks ?? 0,
    })
  }

  /** Some times a second, not with every frame. */
  drawNumbers(now: number): void {
    const { latest, recent, rate } = this.lane
    write(this.#queued, String(latest?.queued ?? 0))
    write(this.#rate, `${count(rate)} items/s`)
    drawDepth(this.#depth, this.lane, now)
    if (recent.length === 0) return
    const items = recent.reduce((sum, { size }) => sum + size, 0)
    write(this.#size, (items / recent.length).toFixed(1))
    drawBars(this.#sizes, sizeClasses(recent))
    const waits = recent.flatMap(({ items: all }) => all.map(({ queued }) => queued))
    waits.sort((a, b) => a - b)
    write(this.#wait, duration(waits[Math.floor(waits.length / 2)] ?? 0))
    drawBars(
      this.#waits,
      WAITS.map((limit, index) => {
        const least = WAITS[index - 1] ?? -1
        return waits.filter((wait) => wait > least && wait <= limit).length
      }),
    )
  }

  /** What is drawn there: an item by its wait, or a batch. */
  at(x: number, y: number): Item | Batch | undefined {
    if (this.#drawn === undefined) return undefined
    const { layout, visible } = this.#drawn
    return layout.itemAt(x, y, visible) ?? layout.batchAt(x, y, visible)
  }

  timeAt(x: number): number | undefined {
    return this.#drawn?.layout.time(x)
  }
}

function metric(
  name: string,
  value: HTMLElement,
  picture: HTMLCanvasElement,
  title: string,
): HTMLElement {
  return make('div', { class: 'metric', title }, make('span', {}, name), value, picture)
}

/** How many batches have up to 1, 2, 4, 8 … items, up to the largest that may be. */
function sizeClasses(batches: readonly Batch[]): number[] {
  const largest = Math.max(
    ...batches.map(({ size, maxSize }) => Math.max(size, Math.min(maxSize, 1024))),
  )
  const counts = Array.from({ length: Math.ceil(Math.log2(largest)) + 1 }, () => 0)
  for (const { size } of batches) counts[Math.ceil(Math.log2(size))]! += 1
  return counts
}
