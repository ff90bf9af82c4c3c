import { adoptedValue, enterStores, type Entry, isAdoption } from './adopted-stores.ts'
import { guardOfBatch } from './guarded-places.ts'
import { runNeutral } from './neutral.ts'
import { assertOption, type OptionRule } from './options.ts'
import { type KeySlot, mergeOf, registry, storage } from './registry.ts'
import { baseOf, type BatchIdentity, OwnerScope } from './scope.ts'
import { isStoreGuardInstalled } from './store-guard.ts'
import type { Scope } from './types.ts'
import type { Values } from './visible-values.ts'

/** What a scope shows of its batch. Each is read when somebody asks for it, so it may be a getter. */
export interface BatchScopeOptions {
  /** Names the batch in errors, for example `users#17`. */
  readonly name: string
  /** Aborts when all members are gone. @defaultValue a signal that never aborts */
  readonly signal?: AbortSignal
  /** ms on the `performance.now()` clock. */
  readonly deadline?: number | undefined
  /** ms on the `performance.now()` clock. @defaultValue now */
  readonly startTime?: number
  /**
   * `item` where the members wait for one and the same item of a batch.
   *
   * @defaultValue `'batch'`
   */
  readonly kind?: BatchScope['kind']
  /** Of whose batcher it is, for reports. @defaultValue `name` */
  readonly batcher?: string
  /**
   * Whether the read of a store that is empty in the batch and not for its members throws, in development.
   *
   * @defaultValue `false`, which warns
   */
  readonly strictStores?: boolean | undefined
  /** The engine, by which it knows its own batches again. */
  readonly engine?: object
}

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

/** The scope of a batch function. Read-only: what it shows was decided by the rules of the keys. */
export interface BatchScope extends Scope {
  readonly kind: 'batch' | 'item'
  /**
   * Runs `fn` on neutral ground with this as the current scope. Adopted stores have the values there that
   * their rules allow.
   */
  run<R>(fn: () => R): R
  /** Ends the scope: the batch function has settled. */
  close(): void
}

/**
 * Opens the scope of a batch. It shows no value of a member but those that a key's batch rule allows,
 * as they are now.
 *
 * @param members - what was captured of each member, in the order of the batch
 * @throws TypeError without members, or without options
 * @throws what the merge function of a key throws
 */
export function openBatchScope(members: readonly Member[], options: BatchScopeOptions): BatchScope {
  assertOption('openBatchScope', 'members', members, anArray)
  assertOption('openBatchScope', 'options', options, anObject)
  const scope = new OpenBatchScope(members, options)
  for (const key of registry.sharedKeys) {
    const value = shared(key, members)
    if (value !== undefined) scope.show(key, value)
  }
  if (isStoreGuardInstalled()) scope.storeGuard = guardOfBatch(options, members)
  return scope
}

const anArray: OptionRule = { expected: 'an array of snapshots', holds: Array.isArray }
/** No more is asked of it: an engine's own object may make its name only when it is read. */
const anObject: OptionRule = {
  expected: 'an object with a name',
  holds: (value) => typeof value === 'object' && value !== null && 'name' in value,
}

class OpenBatchScope extends OwnerScope implements BatchScope, BatchIdentity {
  readonly size: number
  /** Kept after the end, for the name: it must not lead to the members from then on. */
  readonly #options: BatchScopeOptions
  #signal: AbortSignal | undefined
  /** Values of adopted stores; made with the first. */
  #entries: Entry[] | undefined
  /** Until it closes. */
  #members: readonly Member[] | undefined
  /** Made when somebody asks for them. */
  #roots: ReadonlySet<Scope | undefined> | undefined
  #rewritten: readonly Rewritten[] | undefined
  #isExposed = false

  constructor(members: readonly Member[], options: BatchScopeOptions) {
    super(options.startTime)
    this.size = members.length
    this.#options = options
    this.#members = members
  }

  get kind(): BatchScope['kind'] {
    return this.#options.kind ?? 'batch'
  }

  override get isReadOnly(): boolean {
    return true
  }

  get parent(): undefined {
    return undefined
  }

  get batch(): BatchIdentity {
    return this
  }

  get id(): string {
    return this.name
  }

  get name(): string {
    return this.#options.name
  }

  get deadline(): number | undefined {
    return this.#options.deadline
  }

  get engine(): object | undefined {
    return this.#options.engine
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#options.signal ?? new AbortController().signal)
  }

  get roots(): ReadonlySet<Scope | undefined> | undefined {
    return (this.#roots ??=
      this.#members && new Set(this.#members.map(({ scope }) => rootOf(scope))))
  }

  valuesOfMembers(values: Values): Values {
    this.#rewritten ??= rewrittenBy(this, this.#members ?? [])
    if (this.#rewritten.length === 0) return values
    const original = [...values]
    for (const { index, shown, common } of this.#rewritten) {
      if (Object.is(original[index], shown)) original[index] = common
    }
    return original
  }

  expose(): void {
    if (this.#isExposed || this.#members === undefined) return
    this.#isExposed = true
    for (const member of this.#members) member.expose?.()
    // A batch function may have submitted them, and gives its own members what it gets.
    for (const root of this.roots ?? []) if (root) baseOf(root).batch?.expose()
  }

  /** Lets the batch see this value of the key. */
  show(key: KeySlot, value: unknown): void {
    this.write(key.index, key.name, value)
    if (isAdoption(key)) (this.#entries ??= []).push({ key, value })
  }

  run<R>(fn: () => R): R {
    const entries = this.#entries
    return runNeutral(() => storage.run(this, entries ? () => enterStores(entries, fn) : fn))
  }

  override close(): void {
    super.close()
    this.storeGuard = this.#entries = undefined
    this.#members = this.#roots = this.#rewritten = undefined
  }
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

/** The engine of the batch that `scope` is, or is inside of. */
export function engineOf(scope: Scope | undefined): object | undefined {
  return scope && baseOf(scope).batch?.engine
}

/** A value that all members have, and what a merge rule has made of it. */
interface Rewritten {
  readonly index: number
  readonly shown: unknown
  readonly common: unknown
}

function rewrittenBy(scope: OpenBatchScope, members: readonly Member[]): readonly Rewritten[] {
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
function shared(key: KeySlot, members: readonly Member[]): unknown {
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
