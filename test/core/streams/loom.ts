import type { Active, ActiveItem, ContinuousBatcherOptions, Step, StepResult } from '@heddle/core'

/** One call of `step`, which the test ends. */
export interface StepCall<I, C> {
  /** Of the items that are active, in their order. */
  readonly inputs: readonly I[]
  readonly active: readonly Active<I, State<I>>[]
  readonly signal: AbortSignal
  finish(...results: readonly StepResult<C>[]): void
  fail(error: unknown): void
}

/** What `start` has made: how it ended, and in how many steps it was. */
export interface State<I> {
  readonly input: I
  readonly item: ActiveItem<I>
  steps: number
  /** Calls of `end`. */
  ends: number
}

/** The functions of a continuous batcher, whose steps the test ends by hand. */
export interface Loom<I, C> {
  readonly functions: Required<
    Pick<ContinuousBatcherOptions<I, State<I>, C>, 'start' | 'step' | 'end'>
  >
  /** All of them, the first one first. */
  readonly states: State<I>[]
  readonly steps: StepCall<I, C>[]
  /** The step that runs; it must be there. */
  readonly now: StepCall<I, C>
}

export function loom<I, C>(): Loom<I, C> {
  const states: State<I>[] = []
  const steps: StepCall<I, C>[] = []
  return {
    states,
    steps,
    get now() {
      const step = steps.at(-1)
      if (step === undefined) throw new Error('Expected a step to run')
      return step
    },
    functions: {
      start(input, item) {
        const state: State<I> = { input, item, steps: 0, ends: 0 }
        states.push(state)
        return state
      },
      step: (active, { signal }: Step) =>
        new Promise((resolve, reject) => {
          for (const { state } of active) {
            if (state.ends > 0) throw new Error('A state that has ended is in a step')
            state.steps += 1
          }
          const inputs = active.map(({ state }) => state.input)
          steps.push({
            inputs,
            active,
            signal,
            finish: (...results) => resolve(results),
            fail: reject,
          })
        }),
      end(state) {
        state.ends += 1
      },
    },
  }
}
