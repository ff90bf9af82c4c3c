/** The page of `@heddle/hono/inspector`; `node scripts/inspector.ts` puts it together. */
import { connect } from './connection.ts'
import { Details, titleOf } from './details.ts'
import { byId, canvasById, make, write } from './dom.ts'
import { duration, plural } from './format.ts'
import { type Commands, useKeyboard, ZOOM } from './keyboard.ts'
import { LaneView } from './lane-view.ts'
import { Model } from './model.ts'
import { hueVariable, watchPalette } from './palette.ts'
import { drawOverview, overviewTime } from './pictures.ts'
import { usePointer } from './pointer.ts'
import { Selection } from './selection.ts'
import { Table } from './table.ts'
import { drawRuler } from './ticks.ts'
import { Viewport } from './viewport.ts'

/** ms between two pictures: while it follows, when motion is not wanted, and of the numbers. */
const FRAME = 30
const CALM = 500
const NUMBERS = 250
const TABLE = 1000

/** px that the page needs besides the lanes, and a lane besides the waits. */
const CHROME = 250
const LANE = 66
/** px for waits. */
const LEAST = 92
const MOST = 230
/** That the legend names. */
const MAX_PARTITIONS = 6

const narrow = matchMedia('(max-width: 860px)')
const calm = matchMedia('(prefers-reduced-motion: reduce)')
const model = new Model()
const view = new Viewport()
const selection = new Selection(selected)
const details = new Details(model, selection)
const table = new Table(model, selection)
const views: LaneView[] = []
const overview = canvasById('overview')
const ruler = canvasById('ruler')
const pause = byId('pause')
const asTable = byId('as-table')
const state = byId('state')
let isConnected = false
/** The connection is a new one, and what is shown, while it stands still, is from before it. */
let isOutdated = false
let dirty = true
let drawnAt = 0
/** ms that the last picture took. */
let cost = 0
let numbersAt = 0
let tableAt = 0

const commands: Commands = {
  pause() {
    if (view.following) setFollowing(false)
  },
  togglePause() {
    setFollowing(!view.following)
  },
  zoom(factor) {
    view.zoom(factor)
    dirty = true
  },
}

function setFollowing(following: boolean): void {
  model.following = following
  if (following) {
    selection.clear()
    if (isOutdated) restart()
    view.follow()
  } else view.pause()
  pause.classList.toggle('primary', !following)
  write(pause, following ? 'Pause' : 'Follow')
  showState()
  dirty = true
}

/** The server’s process may be another one. */
function restart(): void {
  isOutdated = false
  model.restart()
}

function showState(): void {
  const name = isConnected ? (view.following ? 'live' : 'paused') : 'connecting'
  state.dataset.state = name
  write(state, { live: 'Live', paused: 'Paused', connecting: 'Connecting' }[name])
}

function say(text: string): void {
  write(byId('said'), text)
}

function selected(): void {
  const { batch, item } = selection
  details.show()
  dirty = true
  document.body.classList.toggle('has-details', batch !== undefined)
  if (batch === undefined) return
  if (narrow.matches) {
    const lane = views.find((one) => one.lane === batch.lane)
    lane?.element.scrollIntoView({ block: 'start', behavior: 'instant' })
  }
  view.reveal(batch.from, batch.endedAt ?? batch.startedAt)
  if (item) {
    const run = item.ran === undefined ? 'runs' : `ran ${duration(item.ran)}`
    say(
      `Request ${titleOf(item)} waited ${duration(item.queued)}, ${run}, in a batch of ${batch.size}`,
    )
  } else {
    const took =
      batch.endedAt === undefined ? 'runs' : `took ${duration(batch.endedAt - batch.startedAt)}`
    say(`Batch ${batch.id}, ${plural(batch.size, 'item')}, ${took}, started for ${batch.reason}`)
  }
}

function addLanes(): void {
  for (const [index, lane] of model.lanes.entries()) {
    if (views[index]?.lane === lane) continue
    const added = new LaneView(lane)
    byId('lanes').insertBefore(added.element, views[index]?.element ?? null)
    views.splice(index, 0, added)
    usePointer(added, view, selection, commands)
    dirty = true
  }
  byId('empty').hidden = views.length > 0
}

function frame(now: number): void {
  requestAnimationFrame(frame)
  // However much there is to draw, most of the time is left for the rest.
  const pace = Math.max(calm.matches ? CALM : FRAME, cost * 3)
  if (view.following && now - drawnAt < pace) return
  const { start, span } = view
  view.frame(model.time(), calm.matches)
  const hasMoved = view.start !== start || view.span !== span
  if (now - numbersAt >= NUMBERS) {
    numbersAt = now
    showNumbers()
    showLegend()
  }
  if (now - tableAt >= TABLE && view.following) {
    tableAt = now
    table.show()
  }
  if (!hasMoved && !dirty) return
  drawnAt = now
  dirty = false
  draw()
  cost = performance.now() - now
}

function draw(): void {
  write(byId('span'), duration(view.span))
  drawOverview(overview, model.lanes, view, model.time())
  if (asTable.ariaPressed === 'true') return
  drawRuler(ruler, view)
  const waits = roomForWaits()
  for (const one of views) if (isInSight(one)) one.draw(view, model, selection, waits)
}

/** px above the batches of a lane: what the window has, within reason. */
function roomForWaits(): number {
  const rest = (innerHeight - CHROME) / Math.max(1, views.length) - LANE
  return narrow.matches ? LEAST : Math.round(Math.min(MOST, Math.max(LEAST, rest)))
}

function showLegend(): void {
  const { partitions } = model
  const shown = partitions.filter((partition) => partition !== '')
  byId('legend').hidden = views.length === 0
  const list = byId('partitions')
  if (list.childElementCount === Math.min(shown.length, MAX_PARTITIONS)) return
  list.replaceChildren(
    ...shown.slice(0, MAX_PARTITIONS).map((partition) => {
      const entry = make('li', {}, partition)
      entry.style.setProperty('--hue', hueVariable(partition, partitions))
      return entry
    }),
  )
}

function isInSight({ element }: LaneView): boolean {
  const { top, bottom } = element.getBoundingClientRect()
  return bottom > 0 && top < innerHeight
}

function showNumbers(): void {
  const now = model.time()
  for (const one of views) one.drawNumbers(now)
  drawOverview(overview, model.lanes, view, now)
  write(
    byId('left'),
    model.left > 0 ? `${model.left.toLocaleString('en')} more items have no line` : '',
  )
}

pause.addEventListener('click', () => commands.togglePause())
byId('in').addEventListener('click', () => commands.zoom(1 / ZOOM))
byId('out').addEventListener('click', () => commands.zoom(ZOOM))
asTable.addEventListener('click', () => {
  const isTable = asTable.ariaPressed !== 'true'
  asTable.ariaPressed = String(isTable)
  byId('view').hidden = isTable
  table.element.hidden = !isTable
  table.show()
  dirty = true
})
overview.addEventListener('pointerdown', ({ offsetX }) => {
  commands.pause()
  view.centre(overviewTime(offsetX / overview.clientWidth, model.time()))
})
useKeyboard(model, selection, details, commands)
watchPalette(() => (dirty = true))
addEventListener('resize', () => (dirty = true))
addEventListener('scroll', () => (dirty = true), { passive: true })

connect({
  opened() {
    isConnected = true
    // Nobody loses what they look at.
    isOutdated = !view.following
    if (view.following) {
      selection.clear()
      restart()
    }
    showState()
  },
  updated(update) {
    if (isOutdated) return
    model.take(update)
    addLanes()
    // What runs when it is selected gets its numbers later.
    const { batch } = selection
    if (batch && update.events.some((event) => 'batch' in event && event.batch === batch.id)) {
      details.show()
      dirty = true
    }
  },
  lost() {
    isConnected = false
    showState()
  },
})
requestAnimationFrame(frame)
