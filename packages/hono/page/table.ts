import { titleOf } from './details.ts'
import { byId, make } from './dom.ts'
import { duration, shortened } from './format.ts'
import type { Item, Model } from './model.ts'
import type { Selection } from './selection.ts'

/** The latest items that are listed. */
const ROWS = 60

/** The same as the timeline for those who would rather read, or hear, it. */
export class Table {
  readonly element: HTMLElement = byId('table')
  readonly #model: Model
  readonly #selection: Selection

  constructor(model: Model, selection: Selection) {
    this.#model = model
    this.#selection = selection
  }

  show(): void {
    // Whoever is in it, or is about to click, must not have it taken away.
    const isUsed = this.element.contains(document.activeElement) || this.element.matches(':hover')
    if (this.element.hidden || isUsed) return
    const head = ['Request', 'Route', 'Batch', 'Size', 'Queue', 'Run', 'Total', 'Outcome']
    const items = this.#latest()
    this.element.replaceChildren(
      make(
        'table',
        {},
        make('caption', {}, `The latest ${items.length} items`),
        make(
          'thead',
          {},
          make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name))),
        ),
        make('tbody', {}, ...items.map((item) => this.#row(item))),
      ),
    )
  }

  #latest(): Item[] {
    const batches = this.#model.lanes.flatMap(({ batches: all }) => all.slice(-ROWS))
    return batches
      .toSorted((a, b) => b.startedAt - a.startedAt)
      .slice(0, ROWS)
      .flatMap(({ items }) => items)
      .slice(0, ROWS)
  }

  #row(item: Item): HTMLElement {
    const { batch, queued, ran, route = '', error } = item
    const button = make('button', { type: 'button' }, shortened(titleOf(item), 24))
    button.addEventListener('click', () => this.#selection.selectItem(item))
    const total = ran === undefined ? '' : duration(queued + ran)
    const cells: [string, string][] = [
      ['', route],
      ['', batch.id],
      ['number', String(batch.size)],
      ['number', duration(queued)],
      ['number', ran === undefined ? '' : duration(ran)],
      ['number', total],
      [error ? 'failure' : '', error ?? (ran === undefined ? 'runs' : 'ok')],
    ]
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, button),
      ...cells.map(([name, text]) => make('td', { class: name || undefined }, text)),
    )
  }
}
