import { setTimeout as wait } from 'node:timers/promises'

import { current, detach, run, runNeutral, runRequest } from '@heddle/context'

import type { Batchers } from './batchers.ts'
import type { Passing } from './passing.ts'
import { type Body, isPassing, type ScopeStep, type Step } from './program.ts'
import type { Stage } from './stage.ts'
import {
  entriesOf,
  foreign,
  inherited,
  type KeyName,
  keys,
  ModelScope,
  newOwner,
  newValue,
  outside,
  owner as ownerKey,
  ownStore,
  type Place,
  type Values,
} from './world.ts'

/** Of one program. */
const MAX_STEPS = 600

/** Does the steps of bodies, and looks around after each of them. */
export class Actor {
  readonly #stage: Stage
  readonly #batchers: Batchers
  readonly #passing: Passing

  constructor(stage: Stage, batchers: Batchers, passing: Passing) {
    this.#stage = stage
    this.#batchers = batchers
    this.#passing = passing
  }

  async play(body: Body, place: Place): Promise<void> {
    const { witness } = this.#stage
    for (const step of body) {
      // A batch may start others and each of those again: somewhere it must end.
      if (witness.steps >= MAX_STEPS) return
      witness.steps += 1
      try {
        await this.#do(step, place)
      } catch (error) {
        witness.judge(error, place, step.kind)
      }
      witness.look(place, `after ${step.kind}`)
    }
  }

  /** A request with a client of its own. */
  async request(
    body: Body,
    place: Place,
    names: readonly KeyName[],
    timeout?: number,
  ): Promise<void> {
    const { controller, leaving } = this.#stage.newClient()
    const values = newValues(names)
    const options = {
      entries: entriesOf(values),
      signal: controller.signal,
      ...(timeout === undefined ? {} : { timeout }),
    }
    await runRequest(options, (real) => {
      const scope = new ModelScope(real, values, leaving)
      // Asked for, so that the deadline is armed.
      if (timeout !== undefined) void real.signal
      return this.#enter(body, { ...place, scope, mayClose: false })
    })
  }

  #do(step: Step, place: Place): Promise<void> | void {
    if (step.kind === 'submit') return this.#batchers.submit(step, place)
    if (step.kind === 'close' || step.kind === 'drain') return this.#batchers.end(step)
    return isPassing(step) ? this.#passing.do(step, place) : this.#doInScope(step, place)
  }

  #doInScope(step: ScopeStep, place: Place): Promise<void> | void {
    const { loom } = this.#stage
    switch (step.kind) {
      case 'pause':
        return loom.pause()
      case 'microtask':
        return Promise.resolve()
      case 'timer':
        return wait(0)
      case 'abort':
        return this.#stage.abort(step.pick)
      case 'set':
        return set(step.key, place)
      case 'run': {
        const values = newValues(step.keys)
        return run(entriesOf(values), () => this.#enterChild(step.body, place, values))
      }
      case 'key.run': {
        const value = newValue(step.key)
        const enter = (): Promise<void> => this.#enterChild(step.body, place, { [step.key]: value })
        return keys[step.key].run(value, enter)
      }
      case 'request':
        return this.request(step.body, place, step.keys, step.timeout)
      case 'neutral':
        return runNeutral(() => this.#enter(step.body, { ...outside, level: place.level }))
      case 'foreign': {
        const value = `foreign ${newValue('note')}`
        const name = newOwner()
        const there = { ...place, foreign: value, owner: name }
        return foreign.run(value, () => ownStore.run(name, () => this.#enter(step.body, there)))
      }
      case 'fork':
        return this.#fork(step.body, place)
      case 'stray':
        return this.#stage.leave(this.#enter(step.body, { ...place, mayClose: true }))
      case 'detach':
        return this.#stage.leave(this.#detach(step.body, place, step.keys))
    }
  }

  async #enter(body: Body, place: Place): Promise<void> {
    this.#stage.witness.look(place, 'at the start')
    await this.play(body, place)
  }

  async #fork(body: Body, place: Place): Promise<void> {
    await Promise.all([this.#enter(body, place), this.#enter(body, place)])
  }

  #enterChild(body: Body, place: Place, values: Values): Promise<void> {
    const { scope: parent } = place
    const scope = new ModelScope(current(), inherited(parent, values), parent?.leaving)
    return this.#enter(body, { ...place, scope })
  }

  #detach(
    body: Body,
    { scope: left, owner, level }: Place,
    names: readonly KeyName[],
  ): Promise<void> {
    const kept: Values = {}
    for (const name of names) {
      const value = left?.values[name]
      if (value !== undefined) kept[name] = value
    }
    return detach(
      () => this.#enter(body, { ...outside, level, owner, scope: new ModelScope(current(), kept) }),
      { keep: [ownerKey, ...names.map((name) => keys[name])] },
    )
  }
}

function set(name: KeyName, { scope }: Place): void {
  const value = newValue(name)
  keys[name].set(value)
  if (scope) scope.values[name] = value
}

function newValues(names: readonly KeyName[]): Values {
  return Object.fromEntries(names.map((name) => [name, newValue(name)]))
}
