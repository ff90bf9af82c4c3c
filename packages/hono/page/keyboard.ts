import { type Details, inOrder } from './details.ts'
import { byId } from './dom.ts'
import type { Model } from './model.ts'
import type { Selection } from './selection.ts'

/** What keys do besides moving the selection. */
export interface Commands {
  pause(): void
  togglePause(): void
  zoom(factor: number): void
}

/** Makes the timeline usable without a pointer. */
export function useKeyboard(
  model: Model,
  selection: Selection,
  details: Details,
  commands: Commands,
): void {
  const timeline = byId('timeline')
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => moveInLane(model, selection, commands, -1),
    ArrowRight: () => moveInLane(model, selection, commands, 1),
    ArrowUp: () => moveToLane(model, selection, commands, -1),
    ArrowDown: () => moveToLane(model, selection, commands, 1),
    Enter: () => {
      const { batch } = selection
      if (batch === undefined) return
      const first = selection.item ?? inOrder(batch)[0]
      if (first) selection.selectItem(first)
      details.focus()
    },
  }
  timeline.addEventListener('keydown', (event) => run(keys, event))

  const everywhere: Readonly<Record<string, () => void>> = {
    Escape: () => back(selection, details, timeline),
    ' ': () => commands.togglePause(),
    '+': () => commands.zoom(1 / ZOOM),
    '=': () => commands.zoom(1 / ZOOM),
    '-': () => commands.zoom(ZOOM),
  }
  document.addEventListener('keydown', (event) => {
    // A button takes its own keys.
    if (event.target instanceof HTMLButtonElement && event.key === ' ') return
    run(everywhere, event)
  })
}

export const ZOOM = 1.6

function run(keys: Readonly<Record<string, () => void>>, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const command = keys[event.key]
  if (command === undefined) return
  event.preventDefault()
  command()
}

/** From a request to its batch, and from there to nothing. */
function back(selection: Selection, details: Details, timeline: HTMLElement): void {
  if (selection.batch === undefined) return
  if (selection.item) selection.selectBatch(selection.batch)
  else selection.clear()
  if (details.hasFocus || selection.batch === undefined) timeline.focus()
}

function moveInLane(model: Model, selection: Selection, commands: Commands, by: number): void {
  commands.pause()
  const { batch } = selection
  // The first step goes to the latest batch that has ended.
  const lane = batch?.lane ?? model.lanes[0]
  if (lane === undefined) return
  const index = batch ? lane.batches.indexOf(batch) + by : lane.batches.length - 1
  const next = lane.batches[Math.max(0, Math.min(lane.batches.length - 1, index))]
  if (next) selection.selectBatch(next)
}

function moveToLane(model: Model, selection: Selection, commands: Commands, by: number): void {
  commands.pause()
  const { batch } = selection
  if (batch === undefined) {
    moveInLane(model, selection, commands, 0)
    return
  }
  const next = model.lanes[model.lanes.indexOf(batch.lane) + by]
  if (next === undefined) return
  const nearest = next.batches[Math.min(next.indexAt(batch.startedAt), next.batches.length - 1)]
  if (nearest) selection.selectBatch(nearest)
}
