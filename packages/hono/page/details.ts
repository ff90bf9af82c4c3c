import { byId, make } from './dom.ts'
import { duration, exact, plural, shortened } from './format.ts'
import type { Batch, Item, Model } from './model.ts'
import { hueVariable } from './palette.ts'
import type { Selection } from './selection.ts'

/** Why a batch started, for people. */
const REASONS: Readonly<Record<Batch['reason'], string>> = {
  full: 'it was full',
  cost: 'the next item would have cost too much',
  idle: 'a slot was free',
  linger: 'it had lingered',
  maxWait: 'an item had waited long enough',
  drain: 'the batcher drains',
}

/** The panel of what is selected: numbers of the request, and the batch that it shared. */
export class Details {
  readonly element: HTMLElement = byId('details')
  readonly #model: Model
  readonly #selection: Selection
  #list: HTMLElement | undefined

  constructor(model: Model, selection: Selection) {
    this.#model = model
    this.#selection = selection
  }

  show(): void {
    const { batch, item } = this.#selection
    this.element.hidden = batch === undefined
    if (batch === undefined) {
      this.element.replaceChildren()
      this.#list = undefined
      return
    }
    const hadFocus = this.#list !== undefined && this.#list === document.activeElement
    const scroll = this.#list?.scrollTop ?? 0
    this.#list = this.#mates(batch)
    this.element.style.setProperty('--hue', hueVariable(batch.partition, this.#model.partitions))
    this.element.replaceChildren(
      this.#head(batch, item),
      ...(item ? [numbersOf(item), this.#others(item)] : []),
      factsOf(batch),
      make('h3', {}, matesTitle(batch)),
      this.#list,
    )
    this.#list.scrollTop = scroll
    if (hadFocus) this.#list.focus({ preventScroll: true })
    showSelected(this.#list)
  }

  /** @returns whether there is a list to go to */
  focus(): boolean {
    this.#list?.focus()
    return this.#list !== undefined
  }

  get hasFocus(): boolean {
    return this.element.contains(document.activeElement)
  }

  #head(batch: Batch, item: Item | undefined): HTMLElement {
    const close = make('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×')
    close.addEventListener('click', () => this.#selection.clear())
    const title = item ? titleOf(item) : batch.id
    const kind = item ? 'Request' : 'Batch'
    return make(
      'header',
      {},
      make(
        'div',
        {},
        make('p', { class: 'kind' }, kind),
        make('h2', { title }, shortened(title, 26)),
      ),
      close,
    )
  }

  /** What else the same request has submitted. */
  #others(item: Item): HTMLElement | string {
    const { request } = item
    const all = request === undefined ? [] : this.#model.itemsOf(request)
    if (all.length < 2) return ''
    const list = make('div', { class: 'others' }, make('h3', {}, `All ${all.length} items of it`))
    for (const other of all) {
      const button = make(
        'button',
        { type: 'button', 'aria-pressed': String(other === item) },
        `${other.batch.id}: ${duration(other.queued)} + ${other.ran === undefined ? '…' : duration(other.ran)}`,
      )
      button.addEventListener('click', () => this.#selection.selectItem(other))
      list.append(button)
    }
    return list
  }

  #mates(batch: Batch): HTMLElement {
    const list = make('div', {
      class: 'mates',
      role: 'listbox',
      tabindex: 0,
      'aria-label': `Requests of ${batch.id}`,
    })
    const items = inOrder(batch)
    const { from } = batch
    const to = Math.max(
      batch.endedAt ?? batch.startedAt,
      ...items.map((one) => one.submittedAt + one.queued + (one.ran ?? 0)),
    )
    for (const item of items) list.append(this.#mate(item, from, Math.max(to - from, 0.001)))
    const selected = list.querySelector('[aria-selected=true]')
    if (selected) list.setAttribute('aria-activedescendant', selected.id)
    list.addEventListener('keydown', (event) => this.#key(event, items))
    return list
  }

  #mate(item: Item, from: number, whole: number): HTMLElement {
    const { submittedAt, queued, ran = 0, error } = item
    const share = (value: number): string => `${(value / whole) * 100}%`
    const waited = make('i', { class: 'waited' })
    waited.style.left = share(submittedAt - from)
    waited.style.width = share(queued)
    const worked = make('i', { class: error ? 'worked failed' : 'worked' })
    worked.style.left = share(submittedAt - from + queued)
    worked.style.width = share(ran)
    const bar = make('span', { class: 'way', 'aria-hidden': 'true' }, waited, worked)
    const row = make(
      'div',
      {
        role: 'option',
        id: `mate-${item.place}`,
        'aria-selected': String(item === this.#selection.item),
        'aria-label': `${titleOf(item)}, queue ${duration(queued)}, run ${duration(ran)}${error ? `, ${error}` : ''}`,
      },
      make('span', { class: 'who' }, shortened(titleOf(item), 16)),
      bar,
      make('span', { class: 'took' }, duration(queued + ran)),
    )
    row.addEventListener('click', () => this.#selection.selectItem(item))
    return row
  }

  #key(event: KeyboardEvent, items: readonly Item[]): void {
    const { item } = this.#selection
    const index = item ? items.indexOf(item) : -1
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(items.length - 1, index + 1),
      ArrowUp: Math.max(0, index - 1),
      Home: 0,
      End: items.length - 1,
    }
    const next = items[moves[event.key] ?? -1]
    if (next === undefined) return
    event.preventDefault()
    event.stopPropagation()
    this.#selection.selectItem(next)
  }
}

/** Scrolls the list alone, so that what stands above it stays. */
function showSelected(list: HTMLElement): void {
  const selected = list.querySelector('[aria-selected=true]')
  if (!(selected instanceof HTMLElement)) return
  const { offsetTop: top, offsetHeight: height } = selected
  list.scrollTop = Math.min(top, Math.max(list.scrollTop, top + height - list.clientHeight))
}

function matesTitle({ items, size }: Batch): string {
  if (items.length > 0) return `${plural(items.length, 'request')} in this batch`
  return `${plural(size, 'request')}, too many at the time to be told of`
}

/** As they came. */
export function inOrder(batch: Batch): Item[] {
  return batch.items.toSorted((a, b) => a.submittedAt - b.submittedAt || a.place - b.place)
}

export function titleOf({ request, place }: Item): string {
  return request ?? `item ${place + 1}, outside any request`
}

function numbersOf(item: Item): HTMLElement {
  const { queued, ran, error, route, batch } = item
  const total = queued + (ran ?? 0)
  const bar = make('div', { class: 'split', 'aria-hidden': 'true' })
  const parts: [string, number][] = [
    ['waited', queued],
    ['worked', ran ?? 0],
  ]
  for (const [name, value] of parts) {
    const part = make('i', { class: name })
    part.style.flexGrow = String(Math.max(value, total / 200))
    bar.append(part)
  }
  return make(
    'div',
    { class: 'numbers' },
    ...(route ? [make('p', { class: 'route' }, route)] : []),
    bar,
    make(
      'dl',
      {},
      ...number('Queue', 'queue', queued, exact(queued)),
      ...number('Run', 'run', ran ?? 0, ran === undefined ? 'runs' : exact(ran)),
      ...number('Total', 'total', total, exact(total)),
      ...number('Batch size', 'size', batch.size, String(batch.size)),
    ),
    ...(error ? [make('p', { class: 'failure' }, error)] : []),
    ...(item.trace ? [make('p', { class: 'trace' }, 'Trace ', make('code', {}, item.trace))] : []),
  )
}

function number(label: string, name: string, value: number, text: string): HTMLElement[] {
  const data = make('data', { value, 'data-name': name }, text)
  return [make('div', { class: name }, make('dt', {}, label), make('dd', {}, data))]
}

function factsOf(batch: Batch): HTMLElement {
  const { endedAt, startedAt, size, maxSize, partition, error } = batch
  const took = endedAt === undefined ? 'runs' : duration(endedAt - startedAt)
  const facts: [string, string][] = [
    ['Batch', batch.id],
    ['Items', `${size} of at most ${maxSize}`],
    ['Took', took],
    ['Started', `as ${REASONS[batch.reason]}`],
    ...(partition ? [['Partition', partition] as [string, string]] : []),
    ...(error ? [['Failed with', error] as [string, string]] : []),
  ]
  const rows = facts.map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value)),
  )
  return make('dl', { class: 'facts' }, ...rows)
}
