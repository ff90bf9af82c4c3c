/** ms. */
const SHORTEST = 2
const LONGEST = 30_000
/** Part of the way that is gone in one frame, when it moves to somewhere. */
const EASE = 0.22

/** Which time is to be seen. It follows what happens, or stands still. */
export class Viewport {
  /** ms from the left edge to the right one. */
  span = 2000
  /** The time at the right edge. */
  end = 0
  following = true
  #target: { readonly span: number; readonly end: number } | undefined

  get start(): number {
    return this.end - this.span
  }

  /** Moves on by one frame. */
  frame(now: number, isCalm: boolean): void {
    if (this.following) {
      // A little behind, since what has happened is told ten times a second.
      this.end = now - LAG
      return
    }
    const target = this.#target
    if (target === undefined) return
    const rest = Math.abs(target.end - this.end) + Math.abs(target.span - this.span)
    if (isCalm || rest < target.span / 500) {
      this.end = target.end
      this.span = target.span
      this.#target = undefined
      return
    }
    this.end += (target.end - this.end) * EASE
    this.span += (target.span - this.span) * EASE
  }

  /** Where it is, or will be. */
  get destination(): { readonly span: number; readonly end: number } {
    return this.#target ?? this
  }

  /** @param around - the time that stays where it is; by default the middle */
  zoom(factor: number, around?: number): void {
    const { span, end } = this.destination
    const wanted = Math.min(LONGEST, Math.max(SHORTEST, span * factor))
    if (this.following) {
      this.span = wanted
      return
    }
    const still = around ?? end - span / 2
    this.#target = { span: wanted, end: still + (end - still) * (wanted / span) }
  }

  /** Moves at once, as under a finger. */
  shift(milliseconds: number): void {
    this.#target = undefined
    this.end += milliseconds
  }

  /** Shows this time with room around it, if it is not to be seen well as it is. */
  reveal(from: number, to: number): void {
    const { span, end } = this.destination
    const length = Math.max(to - from, 0.05)
    const isLegible = length > span * 0.1 && length < span * 0.9
    const isInside = from > end - span * 0.96 && to < end - span * 0.04
    if (isLegible && isInside) return
    const wanted = isLegible ? span : Math.min(LONGEST, Math.max(SHORTEST, length * 4.2))
    this.#target = { span: wanted, end: to + (wanted - length) * 0.45 }
  }

  /** Goes where the middle is at this time. */
  centre(time: number): void {
    const { span } = this.destination
    this.#target = { span, end: time + span / 2 }
  }

  follow(): void {
    this.following = true
    this.#target = undefined
    this.span = Math.min(LONGEST, Math.max(this.span, 2000))
  }

  pause(): void {
    this.following = false
  }
}

/** ms. */
const LAG = 150
