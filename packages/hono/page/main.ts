/** The page of `@heddle/hono/inspector`; `node scripts/inspector.ts` puts it together. */
import { connect } from './connection.ts'
import { Details } from './details.ts'
import { byId, canvasById, write } from './dom.ts'
import { duration, plural } from './format.ts'
import { type Commands, useKeyboard, ZOOM } from './keyboard.ts'
import { LaneView } from './lane-view.ts'
import { Model } from './model.ts'
import { watchPalette } from './palette.ts'
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
let dirty = true
let drawnAt = 0
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
    view.follow()
  } else view.pause()
  write(pause, following ? 'Pause' : 'Follow')
  showState()
  dirty = true
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
  const from = Math.min(...batch.items.map(({ submittedAt }) => submittedAt), batch.startedAt)
  view.reveal(from, batch.endedAt ?? batch.startedAt)
  if (item) {
    const run = item.ran === undefined ? 'runs' : `ran ${duration(item.ran)}`
    say(
      `Request ${item.request ?? ''} waited ${duration(item.queued)}, ${run}, in a batch of ${batch.size}`,
    )
  } else {
    const took =
      batch.endedAt === undefined ? 'runs' : `took ${duration(batch.endedAt - batch.startedAt)}`
    say(`Batch ${batch.id}, ${plural(batch.size, 'item')}, ${took}, started for ${batch.reason}`)
  }
}

function addLanes(): void {
  for (const lane of model.lanes.slice(views.length)) {
    const added = new LaneView(lane)
    views.push(added)
    usePointer(added, view, selection, commands)
    byId('lanes').append(added.element)
  }
  byId('empty').hidden = views.length > 0
}

function frame(now: number): void {
  requestAnimationFrame(frame)
  const pace = calm.matches ? CALM : FRAME
  if (view.following && now - drawnAt < pace) return
  const { start, span } = view
  view.frame(model.time(), calm.matches)
  const hasMoved = view.start !== start || view.span !== span
  if (now - numbersAt >= NUMBERS) {
    numbersAt = now
    showNumbers()
  }
  if (now - tableAt >= TABLE && view.following) {
    tableAt = now
    table.show()
  }
  if (!hasMoved && !dirty) return
  drawnAt = now
  dirty = false
  draw()
}

function draw(): void {
  write(byId('span'), duration(view.span))
  drawOverview(overview, model.lanes, view, model.time())
  if (asTable.ariaPressed === 'true') return
  drawRuler(ruler, view)
  for (const one of views) if (isInSight(one)) one.draw(view, model, selection)
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
    model.left > 0 ? `${model.left.toLocaleString('en')} more items were not drawn` : '',
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
watchPalette(() => {
  details.show()
  dirty = true
})
addEventListener('resize', () => (dirty = true))
addEventListener('scroll', () => (dirty = true), { passive: true })

connect({
  opened() {
    isConnected = true
    selection.clear()
    model.restart()
    showState()
  },
  updated(update) {
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
