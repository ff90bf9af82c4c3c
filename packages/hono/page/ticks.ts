import { fit } from './dom.ts'
import { palette } from './palette.ts'
import type { Viewport } from './viewport.ts'

/** px between two times. */
const ROOM = 110

/** Round times in view. */
export function gridTimes(view: Viewport, width: number): number[] {
  const step = stepOf(view, width)
  const times: number[] = []
  for (let n = Math.ceil(view.start / step); n * step <= view.end; n += 1) times.push(n * step)
  return times
}

/** 1, 2 or 5 times a power of ten. */
function stepOf({ span }: Viewport, width: number): number {
  const least = (span / Math.max(1, width)) * ROOM
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? least
}

/** The times above the lanes, in s since the server's process started. */
export function drawRuler(canvas: HTMLCanvasElement, view: Viewport): void {
  const { context, width, height } = fit(canvas)
  const step = stepOf(view, width)
  const digits = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / 1000))))
  context.font = `500 11px ${palette().font}`
  context.textBaseline = 'middle'
  for (const time of gridTimes(view, width)) {
    const x = Math.round(((time - view.start) / view.span) * width)
    context.fillStyle = palette().grid
    context.fillRect(x, height - 6, 1, 6)
    context.fillStyle = palette().muted
    const text = `${(time / 1000).toFixed(digits)} s`
    if (x + context.measureText(text).width + 6 < width) context.fillText(text, x + 4, height / 2)
  }
}
