import assert from 'node:assert/strict'

import { type BatchRule, type ContextEntry, createKey, runRequest, Snapshot } from '@heddle/context'
import { type Batcher, createBatcher } from '@heddle/core'
import { type Call, crank, type VirtualClock } from '@heddle/core/testing'

import { ended } from '../../support/crank.ts'

type Value = string | object | undefined
/** What a caller has: a value for each of the keys. */
export type Values = readonly Value[]

const text = (value: Value): string => (typeof value === 'object' ? 'object' : String(value))
const rules: readonly BatchRule<Value>[] = [
  'partition',
  'same',
  'same',
  (all) => all.map(text).join('+'),
  (all) => String(all.length),
  (all) => all.find((value) => value !== undefined),
]
const keys = rules.map((batch, n) => createKey<Value>(`test.model.running.${n}`, { batch }))

export const KEYS: number = keys.length
/** Two objects that look alike are two values. */
export const DOMAIN: readonly Value[] = [undefined, 'x', 'y', {}, {}]

export type Operation =
  | { readonly do: 'submit'; readonly who: number; readonly text: string }
  | { readonly do: 'write'; readonly who: number; readonly key: number; readonly value: number }
  | { readonly do: 'leave' | 'finish' | 'fail'; readonly which: number }

interface Input {
  readonly text: string
  /** Whose it is. */
  readonly caller: Caller
}

interface Person {
  readonly values: Value[]
  readonly context: Snapshot
}

interface Caller {
  readonly values: Values
  readonly controller: AbortController
  end?: unknown
  expected?: unknown
}

/** Work as the model has it. */
interface Work {
  readonly text: string
  readonly partition: Value
  readonly callers: Caller[]
  /** Those of everybody in its batch, as it started; `undefined` while it waits. */
  atStart?: readonly Values[]
  /** The same for the same callers has started later. */
  isReplaced?: boolean
}

/**
 * A batcher, and a model of who shares what. The model knows of no slots and queues: it sees which work
 * starts, and says what its batch may see, who may join it, and whose answer is whose.
 */
export class RunningWork {
  /** How often a caller has joined work that ran. */
  joins = 0
  readonly #clock: VirtualClock
  readonly #batcher: Batcher<Input, string>
  readonly #calls: Call<Input, string>[]
  readonly #shown: unknown[][] = []
  readonly #bisects: boolean
  readonly #people: readonly Person[]
  readonly #callers: Caller[] = []
  #works: Work[] = []
  /** The work of each call. */
  readonly #started: Work[][] = []
  readonly #over = new Set<number>()

  constructor(
    clock: VirtualClock,
    people: readonly Values[],
    options: { readonly maxConcurrency: number; readonly onFailure: 'reject' | 'bisect' },
  ) {
    this.#clock = clock
    this.#bisects = options.onFailure === 'bisect'
    this.#people = people.map(enter)
    const { run, calls } = crank<Input, string>()
    this.#calls = calls
    this.#batcher = createBatcher<Input, string>({
      name: 'modelled',
      dedupeBy: (input) => input.text,
      ...options,
      run: (inputs, batch) => {
        this.#shown.push(keys.map((key) => key.get()))
        return run(inputs, batch)
      },
    })
  }

  async apply(operation: Operation): Promise<void> {
    if (operation.do === 'submit') this.#submit(operation.who, operation.text)
    else if (operation.do === 'write') this.#write(operation.who, operation.key, operation.value)
    else if (operation.do === 'leave') this.#leave(operation.which)
    else this.#finish(operation.which, operation.do)
    this.#works = this.#works.filter(isWanted)
    await this.#clock.settle()
    this.#noteStarts()
    for (const { end, expected } of this.#callers) assert.equal(end, expected)
  }

  async end(): Promise<void> {
    while (this.#started.length > this.#over.size) await this.apply({ do: 'finish', which: 0 })
    assert.ok(this.#callers.every(({ end }) => end !== undefined))
    const { queued, inFlight, duplicates } = this.#batcher.stats()
    assert.deepEqual([queued, inFlight, duplicates, this.#works.length], [0, 0, 0, 0])
    for (const { context } of this.#people) context.release()
  }

  #submit(who: number, wanted: string): void {
    const { values, context } = at(this.#people, who)
    const controller = new AbortController()
    const caller: Caller = { values: [...values], controller }
    const { signal } = controller
    const answer = context.run(() => this.#batcher.submit({ text: wanted, caller }, { signal }))
    void ended(answer).then((end) => (caller.end = end))
    this.#callers.push(caller)
    const own: Work = { text: wanted, partition: caller.values[0], callers: [caller] }
    const equal = this.#works.filter((work) => isEqual(work, own))
    const joined =
      equal.find((work) => isOpenTo(work, caller.values)) ??
      equal.find(({ atStart }) => atStart === undefined)
    if (joined?.atStart) this.joins += 1
    if (joined) joined.callers.push(caller)
    else this.#works.push(own)
  }

  #write(who: number, key: number, value: number): void {
    const { values, context } = at(this.#people, who)
    values[key] = DOMAIN[value]
    context.run(() => at(keys, key).set(DOMAIN[value]))
  }

  #leave(which: number): void {
    const waiting = this.#callers.filter(waits)
    if (waiting.length === 0) return
    const caller = at(waiting, which % waiting.length)
    caller.controller.abort(new Error('left'))
    caller.expected = 'left'
  }

  #finish(which: number, how: 'finish' | 'fail'): void {
    const running = this.#calls.map((_, n) => n).filter((n) => !this.#over.has(n))
    if (running.length === 0) return
    const n = at(running, which % running.length)
    const { inputs, finish, fail } = at(this.#calls, n)
    this.#over.add(n)
    const wanted = at(this.#started, n).filter(isWanted)
    if (how === 'fail') fail(new Error('failed'))
    else finish(inputs.map((input) => `${input.text} of ${n}`))
    // Aborted where nobody is left; else, with bisect, its halves run again, and can be joined meanwhile.
    if (how === 'fail' && this.#bisects && wanted.length > 1) return
    for (const work of wanted) {
      for (const caller of work.callers) {
        caller.expected ??= how === 'fail' ? 'BATCH_FAILED' : `${work.text} of ${n}`
      }
    }
  }

  /** What has started sees of its callers what the rules make of all of them. */
  #noteStarts(): void {
    for (let n = this.#started.length; n < this.#calls.length; n += 1) {
      const works = at(this.#calls, n).inputs.map(({ caller }) => this.#workOf(caller))
      const members = works.flatMap(({ callers }) =>
        callers.filter(waits).map(({ values }) => values),
      )
      for (const work of works) this.#start(work, members)
      this.#started.push(works)
      assert.deepEqual(
        this.#shown[n],
        rules.map((rule, key) =>
          shown(
            rule,
            members.map((values) => values[key]),
          ),
        ),
      )
    }
  }

  #start(work: Work, members: readonly Values[]): void {
    work.atStart = members
    work.isReplaced = false
    const [first] = members
    if (first === undefined || !isOpenTo(work, first)) return
    for (const other of this.#works) {
      if (other !== work && isEqual(other, work) && isOpenTo(other, first)) other.isReplaced = true
    }
  }

  #workOf(caller: Caller): Work {
    const work = this.#works.find(({ callers }) => callers.includes(caller))
    assert.ok(work, 'work that nobody wants has started')
    return work
  }
}

function enter(values: Values): Person {
  const entries: ContextEntry<Value>[] = []
  for (const [n, value] of values.entries())
    if (value !== undefined) entries.push(at(keys, n).of(value))
  // Each is a request that does not end before the test does.
  const closeWhen = new Promise<void>(() => {})
  const context = runRequest({ entries, closeWhen }, () => Snapshot.capture())
  return { values: [...values], context }
}

function shown(rule: BatchRule<Value>, values: Values): Value {
  if (typeof rule === 'function') return rule(values)
  return values.every((value) => Object.is(value, values[0])) ? values[0] : undefined
}

function isEqual(a: Work, b: Work): boolean {
  return a.text === b.text && Object.is(a.partition, b.partition)
}

/** Whether it runs, and the batch would have seen the same with a caller of these values at its start. */
function isOpenTo({ atStart, isReplaced }: Work, values: Values): boolean {
  return atStart?.every((one) => areIdentical(one, values)) === true && isReplaced === false
}

function areIdentical(a: Values, b: Values): boolean {
  return a.every((value, n) => Object.is(value, b[n]))
}

function isWanted({ callers }: Work): boolean {
  return callers.some(waits)
}

function waits({ expected }: Caller): boolean {
  return expected === undefined
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  assert.ok(found !== undefined)
  return found
}
