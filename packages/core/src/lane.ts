/** What can stand in a lane; the links are the lane's. */
export interface Linked<N> {
  previous: N | undefined
  next: N | undefined
}

/** First in, first out, and any node may leave from the middle: all in O(1), without an object each. */
export class Lane<N extends Linked<N>> {
  first: N | undefined
  last: N | undefined

  add(node: N): void {
    node.previous = this.last
    if (this.last) this.last.next = node
    else this.first = node
    this.last = node
  }

  remove(node: N): void {
    const { previous, next } = node
    if (previous) previous.next = next
    else this.first = next
    if (next) next.previous = previous
    else this.last = previous
    node.previous = node.next = undefined
  }

  /** Puts `heir` into the place of `node`. */
  replace(node: N, heir: N): void {
    const { previous, next } = node
    heir.previous = previous
    heir.next = next
    if (previous) previous.next = heir
    else this.first = heir
    if (next) next.previous = heir
    else this.last = heir
    node.previous = node.next = undefined
  }
}
