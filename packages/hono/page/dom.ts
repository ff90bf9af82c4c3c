/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(`#${id}`)
  if (element === null) throw new Error(`Expected the page to have #${id}`)
  return element
}

export function canvasById(id: string): HTMLCanvasElement {
  const element = byId(id)
  if (element instanceof HTMLCanvasElement) return element
  throw new Error(`Expected #${id} to be a canvas`)
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** A new element. What is text stays text, whoever wrote it. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    element.setAttribute(key, value === true ? '' : String(value))
  }
  element.append(...children)
  return element
}

/** Changes the text only if it is another, so that screen readers and selections are left alone. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Fits the bitmap of a canvas to its place and gives a context that counts in CSS pixels. */
export function fit(canvas: HTMLCanvasElement): {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
} {
  const { clientWidth: width, clientHeight: height } = canvas
  const ratio = Math.min(devicePixelRatio || 1, 3)
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('Expected a canvas with a 2D context')
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  return { context, width, height }
}
