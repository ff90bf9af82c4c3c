import { randomUUID } from 'node:crypto'

import { listenToAbort, unlistenToAbort } from './abort-hub.ts'
import { clock, realigned, type Timer } from './clock.ts'
import { runNeutral } from './neutral.ts'
import { OwnerScope } from './scope.ts'
import type { Task, TaskOwner } from './task.ts'
import type { RequestOptions } from './types.ts'

/** The longest delay of a timer, ms; Node fires a longer one at once. */
const MAX_DELAY = 2 ** 31 - 1

/**
 * The life of one request: active while its function runs, settling while its body or its tasks are
 * still open, then closed. Everything that few requests need is made when it is first asked for.
 */
export class RequestScope extends OwnerScope implements TaskOwner {
  override readonly deadline: number | undefined
  #id: string | undefined
  /** The client's signal, once it is listened to; dropped when it has spoken or the scope has closed. */
  #source: AbortSignal | undefined
  #listening = false
  #controller: AbortController | undefined
  #abortReason: Error | undefined
  #timer: Timer | undefined
  #firstTask: Task | undefined
  /** How many things keep it open, its function among them; its tasks come on top. */
  #open = 1

  constructor(options: RequestOptions) {
    super()
    const { id, signal, timeout } = options
    this.#id = id
    this.#source = signal
    // A time-out that never comes is none.
    this.deadline =
      timeout === undefined || timeout === Number.POSITIVE_INFINITY
        ? undefined
        : this.startTime + timeout
  }

  // What is the same for all of them costs nothing each this way.
  get kind(): 'request' | 'detached' {
    return 'request'
  }

  get parent(): undefined {
    return undefined
  }

  get batch(): undefined {
    return undefined
  }

  get id(): string {
    return (this.#id ??= randomUUID())
  }

  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal
    this.#controller = new AbortController()
    this.#listen()
    if (this.#abortReason) this.#controller.abort(this.#abortReason)
    else if (this.deadline !== undefined && this.closedAt === undefined)
      this.#armDeadline(this.deadline)
    return this.#controller.signal
  }

  /** Why the client or the owner gave this request up; a deadline is not among it. */
  get abortReason(): Error | undefined {
    this.#listen()
    return this.#abortReason
  }

  /** The client's signal, asked for when somebody first wants to know: making one is not free. */
  protected clientSignal(): AbortSignal | undefined {
    return undefined
  }

  /** Something besides its function keeps it open, until it is let go. */
  hold(): void {
    this.#open += 1
  }

  letGo(): void {
    this.#open -= 1
    this.#closeIfDone()
  }

  /** Its function has settled. */
  end(): void {
    this.ownState = 'settling'
    this.letGo()
  }

  addTask(task: Task): void {
    this.#listen()
    task.nextTask = this.#firstTask
    if (this.#firstTask) this.#firstTask.previousTask = task
    this.#firstTask = task
  }

  removeTask(task: Task): void {
    const { previousTask, nextTask } = task
    if (previousTask) previousTask.nextTask = nextTask
    else this.#firstTask = nextTask
    if (nextTask) nextTask.previousTask = previousTask
    task.previousTask = task.nextTask = undefined
    this.#closeIfDone()
  }

  /** The event that the source sends; the scope is its own listener, so that none has to be made. */
  handleEvent(): void {
    this.abort(asError(this.#source?.reason))
  }

  /** Gives the request up, and everything it waits for. The first reason is the one that counts. */
  abort(reason: Error): void {
    if (this.closedAt !== undefined || this.#abortReason) return
    this.#listening = true
    this.#unlisten()
    // Unless the deadline has been earlier.
    if (!this.#controller?.signal.aborted) {
      this.#abortReason = reason
      clock.clearTimeout(this.#timer)
      this.#controller?.abort(reason)
    }
    // Collected first: what a task does when it is told may end others.
    const tasks: Task[] = []
    for (let task = this.#firstTask; task; task = task.nextTask) tasks.push(task)
    for (const task of tasks) task.onScopeAbort(reason)
  }

  override close(): void {
    super.close()
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#source !== undefined) this.#unlisten()
  }

  #closeIfDone(): void {
    if (this.#open === 0 && this.#firstTask === undefined) this.close()
  }

  /** Only when somebody wants to know: a signal that nobody asks for is not even read. */
  #listen(): void {
    if (this.#listening || this.closedAt !== undefined) return
    this.#listening = true
    const source = (this.#source ??= this.clientSignal())
    if (source === undefined) return
    if (source.aborted) this.handleEvent()
    else listenToAbort(source, this)
  }

  #unlisten(): void {
    if (this.#source) unlistenToAbort(this.#source, this)
    this.#source = undefined
  }

  #armDeadline(deadline: number): void {
    const now = clock.now()
    const left = realigned(deadline, this.startTime, now) - now
    if (left <= 0) {
      this.#controller?.abort(
        new DOMException('The deadline of this request has passed', 'TimeoutError'),
      )
      return
    }
    const delay = Math.min(Math.ceil(left), MAX_DELAY)
    this.#timer = runNeutral(() => clock.setTimeout(() => this.#armDeadline(deadline), delay))
    // Whoever waits for the request keeps the process alive; its deadline alone does not.
    this.#timer.unref()
  }
}

/** The scope of work that outlives its request. */
export class DetachedScope extends RequestScope {
  override get kind(): 'detached' {
    return 'detached'
  }
}

/** The reason of an abort as an `Error`: on Node a client that leaves gives a string. */
export function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason
  const error = new DOMException(
    typeof reason === 'string' ? reason : 'The operation was aborted',
    'AbortError',
  )
  return Object.defineProperty(error, 'cause', { value: reason, configurable: true })
}
