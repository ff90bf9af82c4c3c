/** `0.4 ms`, `12.3 ms`, `1.20 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`
}

/** As spans have it, in whole µs. */
export function exact(milliseconds: number): string {
  return `${milliseconds.toFixed(3)} ms`
}

/** `950`, `12.3k`. */
export function count(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1)
}

/** The end of a long id, which is what tells it from others. */
export function shortened(id: string, length = 18): string {
  return id.length > length ? `…${id.slice(-length + 1)}` : id
}

export function plural(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : noun.endsWith('ch') ? 'es' : 's'}`
}
