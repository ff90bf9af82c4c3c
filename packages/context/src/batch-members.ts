import { runNeutral } from './neutral.ts'
import { adoptedValue, isAdoption } from './own-stores/adopted-stores.ts'
import { type KeySlot, mergeOf, registry } from './registry.ts'
import { type BaseScope, baseOf } from './scope.ts'
import type { Scope } from './types.ts'
import type { Values } from './visible-values.ts'

/** What was captured of a member: a snapshot, or an engine's item. */
export interface Member {
  readonly scope?: Scope | undefined
  /** What a batch may see of it, taken at the submit. @defaultValue what the scope has now */
  readonly values?: Values | undefined
  /** Runs `fn` in the member's context. Without `values`, adopted stores are read there. */
  run?<R>(fn: () => R): R
  /** Called when code of the batch reads what only this member has: nobody else may join its work from then on. */
  expose?(): void
}

/** The scope that has no parent: a child scope belongs to its request, or to its batch. */
export function rootOf(scope: Scope): Scope
export function rootOf(scope: Scope | undefined): Scope | undefined
export function rootOf(scope: Scope | undefined): Scope | undefined {
  let root = scope
  while (root?.parent) root = root.parent
  return root
}

/**
 * Whom the batch that `root` is works for: the root scopes of its members, each once, and `undefined` for
 * those outside any request. `undefined` for what is no batch, or one whose function has settled.
 */
export function rootsOfMembers(
  root: Scope | undefined,
): ReadonlySet<Scope | undefined> | undefined {
  return root && baseOf(root).batch?.roots
}

/**
 * The values of code that runs in `root`, as its callers have them: where all members of a batch have one value and
 * a merge rule shows another one for it, the members' value.
 */
export function valuesOfMembers(root: Scope | undefined, values: Values): Values {
  return (root && baseOf(root).batch?.valuesOfMembers(values)) ?? values
}

/**
 * The code of the batch that `root` is, if it is one, reads what only its members have, such as a cache of
 * theirs: nobody else may join their work from then on.
 */
export function exposeMembers(root: Scope | undefined): void {
  if (root) baseOf(root).batch?.expose()
}

/** A value that all members have, and what a merge rule has made of it. */
export interface Rewritten {
  readonly index: number
  readonly shown: unknown
  readonly common: unknown
}

/** @param scope - of the batch of these members */
export function rewrittenBy(scope: BaseScope, members: readonly Member[]): readonly Rewritten[] {
  return registry.sharedKeys.flatMap((key) => {
    if (typeof key.rule === 'string') return []
    const { index } = key
    const [common, ...others] = new Set(members.map((member) => originalOf(member, key)))
    const shown = scope.peek(index)
    return others.length > 0 || Object.is(shown, common) ? [] : [{ index, shown, common }]
  })
}

/** The value of a member; where it is a batch itself, that of its members. */
function originalOf(member: Member, key: KeySlot): unknown {
  const { values, scope } = member
  return values ? valuesOfMembers(rootOf(scope), values)[key.index] : valueOf(member, key)
}

/** What a batch of `members` sees of `key`. */
export function shared(key: KeySlot, members: readonly Member[]): unknown {
  if (typeof key.rule !== 'string') {
    const merge = mergeOf(key.rule)
    if (merge === undefined) return undefined
    const values = members.map((member) => valueOf(member, key))
    return runNeutral(() => merge(values))
  }
  const first = members[0] && valueOf(members[0], key)
  // Members of one partition agree already; whoever opens a batch scope without an engine need not.
  return members.every((member) => Object.is(valueOf(member, key), first)) ? first : undefined
}

function valueOf(member: Member, key: KeySlot): unknown {
  const { values, scope } = member
  if (values) return values[key.index]
  const base = scope && baseOf(scope)
  return isAdoption(key) && member.run
    ? member.run(() => adoptedValue(key, base))
    : base?.peek(key.index)
}
