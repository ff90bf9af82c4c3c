import * as fc from 'fast-check'

import { type KeyName, keyNames } from './world.ts'

/** What a request, a batch function or background work does, one thing after the other. */
export type Body = readonly Step[]

/** `pick` chooses among what is there when the step runs. */
export type Step = ScopeStep | BatchStep | PassingStep

export type ScopeStep =
  | { readonly kind: 'pause' | 'microtask' | 'timer' }
  | { readonly kind: 'set'; readonly key: KeyName }
  | { readonly kind: 'run' | 'detach'; readonly keys: readonly KeyName[]; readonly body: Body }
  | { readonly kind: 'key.run'; readonly key: KeyName; readonly body: Body }
  | { readonly kind: 'foreign' | 'neutral' | 'fork' | 'stray'; readonly body: Body }
  | {
      readonly kind: 'request'
      readonly keys: readonly KeyName[]
      readonly timeout: number | undefined
      readonly body: Body
    }
  | { readonly kind: 'abort'; readonly pick: number }

export type BatchStep =
  | {
      readonly kind: 'submit'
      readonly pick: number
      readonly cost: number
      readonly timeout: number | undefined
      readonly givesUp: boolean
      readonly isAwaited: boolean
    }
  | { readonly kind: 'close'; readonly pick: number }
  | { readonly kind: 'drain'; readonly pick: number }

/** Things that one request makes and another uses. */
export type PassingStep =
  | { readonly kind: (typeof making)[number] }
  | { readonly kind: (typeof using)[number]; readonly pick: number }
  | { readonly kind: (typeof entering)[number]; readonly pick: number; readonly body: Body }

const making = ['capture', 'carry', 'listen', 'offer', 'offer stream', 'emit'] as const
const using = ['release', 'read', 'end', 'onAbort'] as const
const entering = ['enter', 'arrive'] as const
const passing: ReadonlySet<string> = new Set([...making, ...using, ...entering])

export function isPassing(step: Step): step is PassingStep {
  return passing.has(step.kind)
}

/** How one call of a batch function goes. */
export interface Manner {
  readonly body: Body
  /** What it does in the context of each member that it enters. */
  readonly inMember: Body
  readonly fault: 'none' | 'item' | 'batch' | 'mismatch'
}

export interface BatcherShape {
  readonly maxBatchSize: number
  readonly maxConcurrency: number
  readonly maxBatchCost: number
  readonly maxQueueSize: number
  readonly linger: number
  readonly coalesce: 'immediate' | 'microtask'
  readonly hasPartitions: boolean
}

export interface Program {
  /** The body of each request. */
  readonly requests: readonly Body[]
  readonly batchers: readonly BatcherShape[]
  readonly manners: readonly Manner[]
  readonly picks: readonly number[]
}

export type Theme = 'scopes' | 'batches' | 'passing'

const pick = fc.nat({ max: 999 })
const key = fc.constantFrom(...keyNames)
const someKeys = fc.uniqueArray(key, { maxLength: keyNames.length })
/** ms; short enough to pass while the program runs, or none. */
const timeout = fc.constantFrom(undefined, undefined, 0.05, 1)

/** Programs of these themes; waiting and looking belong to each. */
export function program(...themes: readonly Theme[]): fc.Arbitrary<Program> {
  const { body } = fc.letrec<{ step: Step; body: Body }>((tie) => {
    const inner = tie('body')
    const leaves: fc.Arbitrary<Step>[] = [
      fc.record({ kind: fc.constantFrom('pause', 'microtask') }),
    ]
    const nodes: fc.Arbitrary<Step>[] = []
    if (themes.includes('scopes')) {
      leaves.push(
        fc.record({ kind: fc.constant('set'), key }),
        fc.record({ kind: fc.constantFrom('pause', 'timer') }),
        fc.record({ kind: fc.constant('abort'), pick }),
      )
      nodes.push(
        fc.record({ kind: fc.constantFrom('run', 'detach'), keys: someKeys, body: inner }),
        fc.record({ kind: fc.constant('key.run'), key, body: inner }),
        fc.record({ kind: fc.constantFrom('foreign', 'neutral', 'fork', 'stray'), body: inner }),
        fc.record({ kind: fc.constant('request'), keys: someKeys, timeout, body: inner }),
      )
    }
    if (themes.includes('batches')) {
      const submit = fc.record({
        kind: fc.constant('submit' as const),
        pick,
        cost: fc.integer({ min: 1, max: 4 }),
        timeout,
        givesUp: fc.boolean(),
        isAwaited: fc.boolean(),
      })
      leaves.push(
        submit,
        submit,
        fc.record({ kind: fc.constantFrom('drain', 'close', 'abort'), pick }),
      )
      nodes.push(fc.record({ kind: fc.constant('request'), keys: someKeys, timeout, body: inner }))
    }
    if (themes.includes('passing')) {
      leaves.push(
        fc.record({ kind: fc.constantFrom(...making) }),
        fc.record({ kind: fc.constantFrom(...using, 'abort'), pick }),
      )
      nodes.push(fc.record({ kind: fc.constantFrom(...entering), pick, body: inner }))
    }
    const shallow = fc.oneof(...leaves)
    const step = nodes.length === 0 ? shallow : fc.oneof({ maxDepth: 3 }, shallow, ...nodes)
    return { step, body: fc.array(tie('step'), { maxLength: 6, depthIdentifier: 'body' }) }
  })
  return fc.record({
    requests: fc.array(body, { minLength: 2, maxLength: 12, size: 'max' }),
    batchers: fc.array(shape, { minLength: 3, maxLength: 3 }),
    manners: fc.array(manner(body), { minLength: 1, maxLength: 6 }),
    picks: fc.array(pick, { minLength: 1, maxLength: 20 }),
  })
}

const shape: fc.Arbitrary<BatcherShape> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 8 }),
  maxConcurrency: fc.integer({ min: 1, max: 3 }),
  maxBatchCost: fc.constantFrom(3, 6, Number.POSITIVE_INFINITY),
  maxQueueSize: fc.constantFrom(4, 1_000),
  linger: fc.constantFrom(0, 0, 0, 0.5),
  coalesce: fc.constantFrom('immediate', 'microtask'),
  hasPartitions: fc.boolean(),
})

function manner(body: fc.Arbitrary<Body>): fc.Arbitrary<Manner> {
  return fc.record({
    body,
    inMember: body,
    fault: fc.constantFrom('none', 'none', 'none', 'item', 'batch', 'mismatch'),
  })
}
