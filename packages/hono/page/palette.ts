/** The colours of the style sheet, for the canvases. */
export interface Palette {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly grid: string
  readonly surface: string
  readonly accent: string
  readonly error: string
  /** Of partitions, in the order in which they came. */
  readonly hues: readonly string[]
  readonly font: string
}

const HUES = 6

let current: Palette | undefined

export function palette(): Palette {
  current ??= read()
  return current
}

/** Calls `changed` when the colours are others. */
export function watchPalette(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    current = undefined
    changed()
  })
}

/** Of a partition, for a canvas. */
export function hueOf(partition: string, partitions: readonly string[]): string {
  return palette().hues[hueIndex(partition, partitions)] as string
}

/** The same for a style, where it changes with the others. */
export function hueVariable(partition: string, partitions: readonly string[]): string {
  return `var(--hue-${hueIndex(partition, partitions) + 1})`
}

/** What has no partition has the first. */
function hueIndex(partition: string, partitions: readonly string[]): number {
  return Math.max(0, partitions.indexOf(partition)) % HUES
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    text: value('text'),
    muted: value('muted'),
    line: value('line'),
    grid: value('grid'),
    surface: value('surface'),
    accent: value('accent'),
    error: value('error'),
    hues: Array.from({ length: HUES }, (_, index) => value(`hue-${index + 1}`)),
    font: getComputedStyle(document.body).fontFamily,
  }
}
