import { AsyncLocalStorage } from 'node:async_hooks'

import {
  adopt,
  type AdoptedKey,
  type ContextEntry,
  type ContextError,
  type ContextKey,
  createKey,
  type Scope,
  tryCurrent,
} from '@heddle/context'

const text = { encode: (value: string) => value, decode: (value: string) => value }

export type KeyName = 'tenant' | 'region' | 'team' | 'note' | 'draft'
export const keyNames: readonly KeyName[] = ['tenant', 'region', 'team', 'note', 'draft']
export type Values = { [K in KeyName]?: string }

/** One key for each rule of a batch, and one that children start without. */
export const keys: Readonly<Record<KeyName, ContextKey<string>>> = {
  tenant: createKey<string>('test.properties.tenant', { batch: 'partition', carry: text }),
  region: createKey<string>('test.properties.region', { batch: 'same' }),
  team: createKey<string>('test.properties.team', { batch: mergeOnNeutralGround }),
  note: createKey<string>('test.properties.note'),
  draft: createKey<string>('test.properties.draft', { child: 'drop' }),
}

/** Somebody else's storage, which our scopes know nothing of. */
export const foreign: AsyncLocalStorage<string> = new AsyncLocalStorage<string>()

/** A store of the app, which batches know by a rule. */
export const ownStore: AsyncLocalStorage<string> = new AsyncLocalStorage<string>()
export const owner: AdoptedKey<string> = adopt(ownStore, {
  name: 'test.properties.owner',
  batch: 'partition',
})

export function merged(values: readonly (string | undefined)[]): string | undefined {
  return values.some((value) => value !== undefined) ? values.join('+') : undefined
}

/** A merge that sees anybody gives a value that no batch expects. */
function mergeOnNeutralGround(values: readonly (string | undefined)[]): string | undefined {
  const sees = tryCurrent()?.id ?? foreign.getStore()
  return sees === undefined ? merged(values) : `the merge saw ${sees}`
}

/** What a scope must show: kept beside it, by code that never asks the scope. */
export class ModelScope {
  readonly real: Scope
  readonly values: Values
  /** What the abort of its request says. */
  readonly leaving: string | undefined

  constructor(real: Scope, values: Values, leaving?: string) {
    this.real = real
    this.values = values
    this.leaving = leaving
  }
}

/** Where code runs, handed on as an argument: what it finds around itself must agree with it. */
export interface Place {
  readonly scope: ModelScope | undefined
  readonly foreign: string | undefined
  /** What is in the adopted store. */
  readonly owner: string | undefined
  /** Batchers below this number may wait for the code, so it must not wait for them. */
  readonly level: number
  /** Whether the scope may have closed: nobody waits for this code. */
  readonly mayClose: boolean
}

export const outside: Place = {
  scope: undefined,
  foreign: undefined,
  owner: undefined,
  level: 0,
  mayClose: false,
}

/** What is observed in one run of a property. */
export class Witness {
  steps = 0
  looks = 0
  readonly violations: string[] = []

  /** Compares what the code that runs now sees with what it must see there. */
  look(place: Place, where: string): void {
    this.looks += 1
    const difference = differenceFrom(place)
    if (difference !== undefined) this.violations.push(`${where}: ${difference}`)
  }

  /** The same on neutral ground, or in the scope of a batch: nobody's. */
  lookForNobody(where: string): void {
    this.looks += 1
    const scope = tryCurrent()
    if (scope && scope.kind !== 'batch') this.violations.push(`${where}: sees scope ${scope.id}`)
    const theirs = foreign.getStore()
    if (theirs !== undefined) this.violations.push(`${where}: sees ${theirs} in a foreign store`)
  }

  /** What a step threw is an observation, too. */
  judge(error: unknown, { scope, mayClose }: Place, where: string): void {
    const { code } = error as ContextError
    if (code === 'SCOPE_CLOSED' && mayClose && scope?.real.state === 'closed') return
    if (code === 'IN_BATCH' && scope?.real.kind === 'batch') return
    if (code === 'NO_SCOPE' && scope === undefined) return
    this.violations.push(`${where}: threw ${error instanceof Error ? error.stack : String(error)}`)
  }
}

function differenceFrom(place: Place): string | undefined {
  const { scope, foreign: theirs, mayClose } = place
  if (foreign.getStore() !== theirs) {
    return `Expected ${theirs} in a foreign store, got ${foreign.getStore()}`
  }
  if (ownStore.getStore() !== place.owner || owner.get() !== place.owner) {
    return `Expected owner ${place.owner}, got ${ownStore.getStore()} and ${owner.get()}`
  }
  const real = tryCurrent()
  if (real !== scope?.real) return `Expected scope ${scope?.real.id}, got ${real?.id}`
  if (real?.state === 'closed') return mayClose ? undefined : `Scope ${real.id} has closed`
  for (const name of keyNames) {
    const value = keys[name].get()
    const expected = scope?.values[name]
    if (value !== expected) return `Expected \`${name}\` to be ${expected}, got ${value}`
  }
  return undefined
}

/** The values of a child scope. */
export function inherited(parent: ModelScope | undefined, own: Values): Values {
  const { draft: _, ...rest } = parent?.values ?? {}
  return { ...rest, ...own }
}

export function entriesOf(values: Values): ContextEntry<string>[] {
  return keyNames.flatMap((name) => {
    const value = values[name]
    return value === undefined ? [] : [keys[name].of(value)]
  })
}

let made = 0
let owners = 0

/** One of few, so that its requests meet in batches. */
export function newOwner(): string {
  owners += 1
  return `owner ${owners % 3}`
}

/** A value of one's own; tenants and regions are few, so that requests meet in batches. */
export function newValue(name: KeyName): string {
  made += 1
  if (name === 'tenant') return `tenant ${made % 5}`
  if (name === 'region') return `region ${made % 2}`
  return `${name} ${made}`
}
