import { Closing } from './closing.ts'
import { expected, type Ran } from './expected.ts'
import { Turns } from './turns.ts'
import {
  byRank,
  type Call,
  type Caller,
  costOf,
  first,
  isWanted,
  oldest,
  type Settings,
  type Submit,
  type Work,
} from './work.ts'

/**
 * What a batcher must do, slow and plain: arrays that are searched from end to end, and no code of the
 * engine. Time is a number; whatever could happen at a moment has happened when a method returns.
 */
export class Reference {
  now = 0
  readonly calls: Call[] = []
  readonly callers: Caller[] = []
  readonly settings: Settings
  #queue: Work[] = []
  readonly #turns = new Turns()
  readonly #durations: Ran[] = []
  #slotFreeSince = -Infinity
  #full: readonly string[] = []
  readonly closing: Closing = new Closing()

  constructor(settings: Settings) {
    this.settings = settings
  }

  get queued(): number {
    return this.#queue.length
  }

  get inFlight(): number {
    return this.calls.filter(({ over }) => !over).length
  }

  submit(submit: Submit): void {
    const { timeout } = submit
    const caller: Caller = {
      ...submit,
      at: this.now,
      deadline: timeout === 0 ? Infinity : this.now + timeout,
    }
    this.callers.push(caller)
    if (this.closing.isClosed) return void (caller.end = 'BATCHER_CLOSED')
    const { maxBatchCost, maxQueueSize, hasTenants, dedupes, ageing } = this.settings
    if (caller.cost > maxBatchCost) return void (caller.end = 'ITEM_TOO_LARGE')
    const works = [...this.#queue, ...this.#runningWorks()]
    const duplicates = works.reduce((sum, { callers }) => sum + callers.length - 1, 0)
    const free = maxQueueSize - this.#queue.length - duplicates
    const ofTenant = this.#queue.filter(({ tenant }) => tenant === caller.tenant).length
    if (free <= 0 || (hasTenants && ofTenant >= free)) return void (caller.end = 'QUEUE_FULL')
    const rank = this.now + caller.priority * ageing
    const same = works.find(
      (work) =>
        dedupes &&
        work.text === caller.text &&
        work.partition === caller.partition &&
        work.tenant === caller.tenant,
    )
    if (same) {
      same.callers.push(caller)
      if (!same.running && rank < same.rank) {
        // As if it had come now: at the end of its new class, and of its tenant's line.
        this.#turns.leave(same, this.#queue)
        this.#queue = this.#queue.filter((work) => work !== same)
        Object.assign(same, { rank, order: caller.id })
        this.#queue.push(same)
        this.#turns.join(same)
      }
    } else {
      const { partition, tenant, text } = caller
      const work: Work = {
        callers: [caller],
        partition,
        tenant,
        text,
        cost: caller.cost,
        rank,
        order: caller.id,
        at: this.now,
      }
      this.#queue.push(work)
      this.#turns.join(work)
      this.#noteFull()
    }
    this.#dispatch()
  }

  abort(id: number): void {
    const caller = this.callers.find((one) => one.id === id)
    if (caller && caller.end === undefined) this.#leave(caller, 'aborted')
    this.#dispatch()
  }

  /** @param how - what each of its works comes to, or `throw` */
  finish(call: Call, how: 'throw' | readonly ('ok' | 'error')[]): void {
    call.over = true
    if (this.inFlight === this.settings.maxConcurrency - 1) this.#slotFreeSince = this.now
    const wanted = call.works.filter((work) => isWanted(work))
    const bisects = this.settings.onFailure === 'bisect' && !call.aborted && wanted.length > 1
    if (how === 'throw' && bisects) {
      const middle = Math.floor(wanted.length / 2)
      call.rest.push(wanted.slice(middle), wanted.slice(0, middle))
    } else {
      for (const [index, work] of call.works.entries()) {
        const result = how === 'throw' ? 'BATCH_FAILED' : how[index]
        for (const [place, caller] of work.callers.entries()) {
          // The same error object is for one caller alone.
          caller.end ??= result === 'error' && place > 0 ? 'BATCH_FAILED' : (result ?? 'ok')
        }
      }
    }
    if (how !== 'throw' && !call.aborted) {
      this.#durations.push({ cost: costOf(call.works), duration: this.now - call.at })
    }
    for (let works = call.rest.pop(); works; works = call.rest.pop()) {
      const left = works.filter((work) => isWanted(work))
      if (left.length === 0) continue
      this.#start(left, call.reason, call.rest)
      break
    }
    this.#dispatch()
  }

  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (;;) {
      const next = Math.min(...this.#times().filter((time) => time > this.now))
      this.now = Math.min(next, end)
      for (const caller of this.callers.toSorted((a, b) => a.deadline - b.deadline)) {
        if (caller.end === undefined && caller.deadline <= this.now) {
          this.#leave(caller, 'DEADLINE_EXCEEDED')
        }
      }
      if (this.closing.givesUpAt <= this.now) this.#giveUpAll()
      this.#dispatch()
      if (next > end) return
    }
  }

  configure(patch: Partial<Settings>): void {
    const wasFull = this.inFlight >= this.settings.maxConcurrency
    Object.assign(this.settings, patch)
    this.#full = []
    this.#noteFull()
    if (wasFull && this.inFlight < this.settings.maxConcurrency) this.#slotFreeSince = this.now
    this.#dispatch()
  }

  drain(): void {
    this.closing.drain(this.#isIdle)
    this.#dispatch()
  }

  /** @param timeout - ms, after which what is left is given up */
  close(timeout: number): void {
    this.closing.close(this.#isIdle, this.now + timeout)
    this.#dispatch()
  }

  get #isIdle(): boolean {
    return this.queued === 0 && this.inFlight === 0
  }

  #giveUpAll(): void {
    const works = [...this.#queue, ...this.#runningWorks()]
    for (const { callers } of works) for (const caller of callers) caller.end ??= 'BATCHER_CLOSED'
    for (const call of this.calls) call.aborted ||= !call.over
    this.#queue = []
    this.#full = []
    this.closing.resolve()
  }

  /** When something may happen by itself. */
  #times(): readonly number[] {
    return [
      this.closing.givesUpAt,
      ...this.callers.filter(({ end }) => end === undefined).map(({ deadline }) => deadline),
      ...this.#partitions().flatMap((works) => [
        Math.max(this.#slotFreeSince, oldest(works)) + this.settings.linger,
        oldest(works) + this.settings.maxWait,
      ]),
    ]
  }

  #leave(caller: Caller, end: string): void {
    const works = [...this.#queue, ...this.#runningWorks()]
    const work = works.find(({ callers }) => callers.includes(caller))
    caller.end = end
    if (work === undefined) return
    if (work.callers.length > 1) {
      work.callers = work.callers.filter((one) => one !== caller)
      work.at = work.callers[0]?.at ?? 0
      return
    }
    if (work.running) {
      if (!work.running.works.some((one) => isWanted(one))) work.running.aborted = true
      return
    }
    this.#turns.leave(work, this.#queue)
    this.#queue = this.#queue.filter((one) => one !== work)
    this.#noteFull()
  }

  #runningWorks(): readonly Work[] {
    return this.calls
      .filter(({ over }) => !over)
      .flatMap(({ works, rest }) => [...works, ...rest.flat()])
      .filter((work) => isWanted(work))
  }

  #partitions(): readonly (readonly Work[])[] {
    return [...Map.groupBy(this.#queue, ({ partition }) => partition).values()]
  }

  #dispatch(): void {
    this.#startAll()
    if (this.#isIdle) this.closing.resolve()
  }

  #startAll(): void {
    while (this.inFlight < this.settings.maxConcurrency) {
      const partitions = this.#partitions().toSorted(
        (a, b) => this.#score(a) - this.#score(b) || byRank(first(a), first(b)),
      )
      const [next] = partitions
      if (next === undefined) return
      const reason = this.#readiness(next)
      if (reason !== undefined) {
        this.#form(next, reason)
        continue
      }
      const [full] = this.#full
      if (full === undefined) return
      this.#form(partitions.find((works) => first(works).partition === full) ?? [], 'full')
    }
  }

  /** Notes which partitions can fill a batch, by when they could first. */
  #noteFull(): void {
    const { maxBatchSize, maxBatchCost } = this.settings
    const full = this.#partitions()
      .filter((works) => works.length >= maxBatchSize || costOf(works) >= maxBatchCost)
      .map((works) => first(works).partition)
    const before = this.#full.filter((partition) => full.includes(partition))
    this.#full = [...before, ...full.filter((partition) => !before.includes(partition))]
  }

  #score(works: readonly Work[]): number {
    const { maxWait, maxBatchSize } = this.settings
    return first(works).rank - maxWait * Math.min(1, works.length / maxBatchSize)
  }

  #readiness(works: readonly Work[]): string | undefined {
    const { linger, maxWait, minBatchSize, maxBatchSize } = this.settings
    if (this.closing.isDraining) return 'drain'
    const tooSmall = works.length < minBatchSize && this.inFlight > 0
    if (linger === 0 && !tooSmall) return 'idle'
    if (works.length >= maxBatchSize) return 'full'
    const lingered = Math.max(this.#slotFreeSince, oldest(works)) + linger
    if (!tooSmall && this.now >= lingered) return linger === 0 ? 'idle' : 'linger'
    return this.now >= oldest(works) + maxWait ? 'maxWait' : undefined
  }

  #form(works: readonly Work[], why: string): void {
    const { maxBatchSize, maxBatchCost } = this.settings
    const mean = costOf(works) / works.length
    const runTime = expected(
      this.#durations,
      Math.min(maxBatchCost, mean * Math.min(works.length, maxBatchSize)),
    )
    const left = [...works]
    const taken: Work[] = []
    const late: Work[] = []
    let hopeless: Work[] = []
    let reason = why
    while (left.length > 0 && taken.length < maxBatchSize) {
      const next = this.settings.hasTenants ? this.#turns.next(left) : first(left)
      const deadline = Math.max(...next.callers.map((caller) => caller.deadline))
      const isCrowded = left.length + taken.length > maxBatchSize
      const isHopeless = deadline < this.now + (isCrowded ? runTime.p95 : runTime.mean)
      if (!isHopeless && taken.length > 0 && costOf(taken) + next.cost > maxBatchCost) {
        reason = 'cost'
        break
      }
      left.splice(left.indexOf(next), 1)
      if (isHopeless) hopeless.push(next)
      else taken.push(next)
      if (!isHopeless) this.#turns.charge(next)
      this.#turns.leave(next, this.#queue)
      this.#queue = this.#queue.filter((work) => work !== next)
    }
    if (taken.length === 0) {
      const fitting: Work[] = []
      for (const work of hopeless.toReversed()) {
        if (fitting.length === maxBatchSize || costOf(fitting) + work.cost > maxBatchCost) break
        fitting.unshift(work)
      }
      hopeless = hopeless.slice(0, hopeless.length - fitting.length)
      taken.push(...fitting)
    }
    late.push(...hopeless)
    this.#noteFull()
    if (taken.length === maxBatchSize) reason = 'full'
    else if (costOf(taken) === maxBatchCost) reason = 'cost'
    if (taken.length > 0) this.#start(taken, reason, [])
    for (const caller of late.flatMap(({ callers }) => callers)) caller.end ??= 'DEADLINE_EXCEEDED'
  }

  #start(works: Work[], reason: string, rest: Work[][]): void {
    const inputs = works.map(({ callers }) => callers[0]?.id ?? -1)
    const call: Call = { inputs, reason, at: this.now, works, rest, aborted: false, over: false }
    for (const work of works) work.running = call
    this.calls.push(call)
  }
}
