/**
 * Reads a number of the command line.
 *
 * @throws Error when it is none, or not from `least` to `most`
 */
export function readNumber(option: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most) return value
  throw new Error(`Expected --${option} to be a number from ${least} to ${most}, got ${text}`)
}

/** @throws Error as {@link readNumber}, or when it has a fraction */
export function readWhole(option: string, text: string, least: number, most: number): number {
  const value = readNumber(option, text, least, most)
  if (Number.isInteger(value)) return value
  throw new Error(`Expected --${option} to be a whole number, got ${text}`)
}
