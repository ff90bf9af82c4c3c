import { current } from '@heddle/context'
import { type Batch, type Batcher, BatcherError, createBatcher } from '@heddle/core'

import type { BatcherShape, BatchStep, Manner, Program } from './program.ts'
import { chosen, type Play, type Stage } from './stage.ts'
import { merged, ModelScope, type Place, type Values } from './world.ts'

/** An item knows where it was submitted. */
interface Input {
  readonly id: number
  readonly cost: number
  readonly place: Place
  /** What `partitionBy` says, where there is one. */
  readonly own: string
  /** Of its scope at the submit. */
  readonly values: Values
}

type SubmitStep = BatchStep & { readonly kind: 'submit' }

let submitted = 0

/** The batchers of a program: what they call looks around, and so does whoever waits for them. */
export class Batchers {
  readonly #stage: Stage
  readonly #play: Play
  readonly #shapes: readonly BatcherShape[]
  readonly #manners: readonly Manner[]
  readonly #open: Batcher<Input, number>[]
  readonly #errors = new WeakSet<Error>()
  #batches = 0

  constructor(stage: Stage, { batchers, manners }: Program, play: Play) {
    this.#stage = stage
    this.#play = play
    this.#shapes = batchers
    this.#manners = manners
    this.#open = batchers.map((_, index) => this.#create(index))
  }

  submit(step: SubmitStep, place: Place): Promise<void> | void {
    const index = step.pick % this.#open.length
    const batcher = this.#open[index]
    // Upwards only: a batch that waits for a batch that waits for it would wait for ever.
    if (batcher === undefined || index < place.level) return undefined
    const waiting = this.#wait(batcher, index, step, place)
    return step.isAwaited ? waiting : this.#stage.leave(waiting)
  }

  /** Closes a batcher, and puts another in its place, or drains it; nobody waits for that. */
  end({ kind, pick }: BatchStep): void {
    const index = pick % this.#open.length
    const batcher = this.#open[index]
    if (batcher === undefined) return
    if (kind === 'close') this.#open[index] = this.#create(index)
    this.#stage.leave(kind === 'close' ? batcher.close() : batcher.drain())
  }

  async #wait(
    batcher: Batcher<Input, number>,
    index: number,
    { cost, timeout, givesUp, isAwaited }: SubmitStep,
    caller: Place,
  ): Promise<void> {
    const { witness, loom } = this.#stage
    const place = isAwaited ? caller : { ...caller, mayClose: true }
    const id = (submitted += 1)
    const own = this.#shapes[index]?.hasPartitions ? `partition ${id % 2}` : ''
    const input = { id, cost, place, own, values: { ...place.scope?.values } }
    const controller = new AbortController()
    const goodbye = `item ${id} was given up`
    const promise = this.#stage.submitting(place, () =>
      batcher.submit(input, {
        ...(timeout === undefined ? {} : { timeout }),
        ...(givesUp ? { signal: controller.signal } : {}),
        onTiming: () => witness.look({ ...place, mayClose: true }, 'onTiming'),
      }),
    )
    const giveUp = async (): Promise<void> => {
      await loom.pause()
      controller.abort(new Error(goodbye))
    }
    if (givesUp) this.#stage.leave(giveUp())
    try {
      const value = await promise
      if (value !== id) witness.violations.push(`submit: Expected result ${id}, got ${value}`)
    } catch (error) {
      this.#judge(error, [`fault of ${id}`, goodbye, place.scope?.leaving])
    }
    witness.look(place, 'after the result of an item')
  }

  /** A caller gets its own error: never one that is about another, or that another has got. */
  #judge(error: unknown, own: readonly (string | undefined)[]): void {
    const { violations } = this.#stage.witness
    if (!(error instanceof Error)) violations.push(`submit: rejected with ${String(error)}`)
    else if (error instanceof BatcherError) {
      if (this.#errors.has(error)) violations.push('submit: rejected with the error of another')
      this.#errors.add(error)
    } else if (!own.includes(error.message)) violations.push(`submit: got ${error.stack}`)
  }

  #create(index: number): Batcher<Input, number> {
    const { hasPartitions, ...shape } = this.#shapes[index]!
    const { witness } = this.#stage
    const batcher = createBatcher<Input, number>({
      ...shape,
      name: `batcher${index}`,
      cost(input) {
        witness.look(input.place, 'cost')
        return input.cost
      },
      ...(hasPartitions && {
        partitionBy(input: Input) {
          witness.look(input.place, 'partitionBy')
          return input.own
        },
      }),
      run: (inputs, batch) => this.#run(inputs, batch, index + 1),
    })
    this.#stage.batchers.push(batcher)
    return batcher
  }

  async #run(inputs: readonly Input[], batch: Batch<Input>, level: number): Promise<number[]> {
    const { witness, loom } = this.#stage
    const scope = new ModelScope(current(), valuesOf(inputs))
    // Its members have one: the partition says so, which is checked below.
    const owner = inputs[0]?.place.owner
    const place: Place = { scope, foreign: undefined, owner, level, mayClose: false }
    witness.look(place, 'batch function')
    if (new Set(inputs.map(partitionOf)).size > 1) {
      witness.violations.push('batch function: partitions were mixed')
    }
    batch.signal.addEventListener('abort', () => witness.lookForNobody('batch.signal'))
    const { body, inMember, fault } = chosen(this.#manners, (this.#batches += 1))!
    for (const item of batch.items) {
      const { place: caller } = item.input
      item.signal.addEventListener('abort', () => witness.lookForNobody('item.signal'))
      if (item.scope !== caller.scope?.real) witness.violations.push('item.scope: not its own')
      // The scope of a request is kept open for its items, that of an outer batch is not.
      const member = { ...caller, level, mayClose: caller.mayClose || caller.level > 0 }
      await item.run(async () => {
        witness.look(member, 'item.run')
        if (item.index < 2) await this.#play(inMember, member)
      })
      witness.look(place, 'after item.run')
    }
    await loom.pause()
    await this.#play(body, place)
    if (fault === 'batch') throw new Error('the batch failed')
    const results = inputs.map(({ id }) =>
      fault === 'item' && id % 2 ? new Error(`fault of ${id}`) : id,
    )
    return (fault === 'mismatch' ? results.slice(1) : results) as number[]
  }
}

function partitionOf({ own, values, place }: Input): string {
  return `${values.tenant} ${place.owner} ${own}`
}

/** What the keys' rules let a batch see of its members, as they were at the submits. */
function valuesOf(inputs: readonly Input[]): Values {
  const all = inputs.map((input) => input.values)
  const [first] = all
  const values: Values = {}
  for (const name of ['tenant', 'region'] as const) {
    const value = first?.[name]
    if (value !== undefined && all.every((other) => other[name] === value)) values[name] = value
  }
  const team = merged(all.map((one) => one.team))
  return team === undefined ? values : { ...values, team }
}
