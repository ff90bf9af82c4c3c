import { byId } from './dom.ts'
import type { Commands } from './keyboard.ts'
import type { LaneView } from './lane-view.ts'
import type { Selection } from './selection.ts'
import type { Viewport } from './viewport.ts'

/** px that a press may move and still be a click. */
const SLACK = 4

/** A click selects, a drag moves the time, a turn of the wheel with Ctrl zooms. */
export function usePointer(
  lane: LaneView,
  view: Viewport,
  selection: Selection,
  commands: Commands,
): void {
  const { canvas } = lane
  let pressed: { readonly x: number; last: number; moved: boolean } | undefined

  canvas.addEventListener('pointerdown', (event) => {
    pressed = { x: event.clientX, last: event.clientX, moved: false }
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (pressed === undefined) {
      canvas.classList.toggle('is-over', at(lane, event) !== undefined)
      return
    }
    if (Math.abs(event.clientX - pressed.x) > SLACK) pressed.moved = true
    if (!pressed.moved) return
    commands.pause()
    view.shift(((pressed.last - event.clientX) / canvas.clientWidth) * view.span)
    pressed.last = event.clientX
  })
  canvas.addEventListener('pointerup', (event) => {
    const isClick = pressed?.moved === false
    pressed = undefined
    if (!isClick) return
    // Keys go on from what was clicked.
    byId('timeline').focus({ preventScroll: true })
    const found = at(lane, event)
    if (found === undefined) {
      selection.clear()
      return
    }
    commands.pause()
    if ('batch' in found) selection.selectItem(found)
    else selection.selectBatch(found)
  })
  canvas.addEventListener('pointercancel', () => {
    pressed = undefined
  })
  canvas.addEventListener(
    'wheel',
    (event) => {
      const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY)
      if (!event.ctrlKey && !event.metaKey && !isAcross) return
      event.preventDefault()
      if (isAcross) {
        commands.pause()
        view.shift((event.deltaX / canvas.clientWidth) * view.span)
        return
      }
      view.zoom(Math.exp(event.deltaY / 200), lane.timeAt(event.offsetX))
    },
    { passive: false },
  )
}

function at(lane: LaneView, { offsetX, offsetY }: PointerEvent): ReturnType<LaneView['at']> {
  return lane.at(offsetX, offsetY)
}
