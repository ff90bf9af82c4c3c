import { type Member, type Rewritten, rewrittenBy, rootOf, shared } from './batch-members.ts'
import { runNeutral } from './neutral.ts'
import { assertOption, type OptionRule } from './options.ts'
import { enterStores, type Entry, isAdoption } from './own-stores/adopted-stores.ts'
import { guardOfBatch } from './own-stores/guarded-places.ts'
import { isStoreGuardInstalled } from './own-stores/store-guard.ts'
import { type KeySlot, registry, storage } from './registry.ts'
import { baseOf, type BatchIdentity, OwnerScope } from './scope.ts'
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
   * Whether a read throws `IN_BATCH` if the batch function finds a store of the app empty that has a value for
   * a member. For tests. `false` reports it once. Never looked at where `NODE_ENV` is `production`.
   *
   * @defaultValue `false`
   */
  readonly strictStores?: boolean | undefined
  /** The engine, by which it knows its own batches again. */
  readonly engine?: object
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

/** The engine of the batch that `scope` is, or is inside of. */
export function engineOf(scope: Scope | undefined): object | undefined {
  return scope && baseOf(scope).batch?.engine
}
