import { clearLine, moveCursor } from 'node:readline'
import { styleText } from 'node:util'

/** What the demo does now: one line that changes on a terminal, a line for each step elsewhere. */
export class Progress {
  readonly #output: NodeJS.WriteStream
  #step = ''
  #isShown = false

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
  }

  step(text: string): void {
    this.#step = text
    if (this.#output.isTTY) this.#rewrite(text)
    else this.#output.write(`${text}\n`)
  }

  /** Within a step; seen on a terminal alone. */
  detail(text: string): void {
    if (this.#output.isTTY) this.#rewrite(`${this.#step} ${text}`)
  }

  end(): void {
    if (this.#output.isTTY) this.#erase()
  }

  #rewrite(text: string): void {
    this.#erase()
    this.#output.write(`${styleText('dim', text)}\n`)
    this.#isShown = true
  }

  /** The line ends with a line break, so that an error of another process starts on its own line. */
  #erase(): void {
    if (!this.#isShown) return
    moveCursor(this.#output, 0, -1)
    clearLine(this.#output, 0)
    this.#isShown = false
  }
}
