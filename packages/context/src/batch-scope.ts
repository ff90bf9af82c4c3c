import { runNeutral } from './neutral.ts'
import { type KeyRecord, registry, storage } from './registry.ts'
import { baseOf, type BatchIdentity, OwnerScope } from './scope.ts'
import type { Scope } from './types.ts'

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
  /** The engine, by which it knows its own batches again. */
  readonly engine?: object
}

/** What was captured of a member: a snapshot, or an engine's item. */
export interface Member {
  readonly scope?: Scope | undefined
  /** Its value of the key with this index, at the submit; by default what the scope has now. */
  valueAt?(index: number): unknown
}

/** The scope of a batch function. Read-only: what it shows was decided by the rules of the keys. */
export interface BatchScope extends Scope {
  readonly kind: 'batch' | 'item'
  /** Runs `fn` on neutral ground with this as the current scope. */
  run<R>(fn: () => R): R
  /** Ends the scope: the batch function has settled. */
  close(): void
}

/**
 * Opens the scope of a batch. It shows no value of a member but those that a key's batch rule allows,
 * as they are now.
 *
 * @param members - what was captured of each member, in the order of the batch
 * @throws what the merge function of a key throws
 */
export function openBatchScope(members: readonly Member[], options: BatchScopeOptions): BatchScope {
  const scope = new OpenBatchScope(members.length, options)
  for (const key of registry.sharedKeys) {
    const value = shared(key, members)
    if (value !== undefined) scope.write(key.index, key.name, value)
  }
  return scope
}

class OpenBatchScope extends OwnerScope implements BatchScope, BatchIdentity {
  readonly size: number
  /** Kept after the end, for the name: it must not lead to the members from then on. */
  readonly #options: BatchScopeOptions
  #signal: AbortSignal | undefined

  constructor(size: number, options: BatchScopeOptions) {
    super(options.startTime)
    this.size = size
    this.#options = options
  }

  get kind(): BatchScope['kind'] {
    return this.#options.kind ?? 'batch'
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

  run<R>(fn: () => R): R {
    return runNeutral(() => storage.run(this, fn))
  }
}

/** The engine of the batch that `scope` is, or is inside of. */
export function engineOf(scope: Scope | undefined): object | undefined {
  return scope && baseOf(scope).batch?.engine
}

/** What a batch of `members` sees of `key`. */
function shared({ rule, index }: KeyRecord, members: readonly Member[]): unknown {
  if (typeof rule === 'object') {
    const merge = rule.deref()
    if (merge === undefined) return undefined
    const values = members.map((member) => valueOf(member, index))
    return runNeutral(() => merge(values))
  }
  const first = members[0] && valueOf(members[0], index)
  // Members of one partition agree already; whoever opens a batch scope without an engine need not.
  return members.every((member) => Object.is(valueOf(member, index), first)) ? first : undefined
}

function valueOf(member: Member, index: number): unknown {
  if (member.valueAt) return member.valueAt(index)
  return member.scope && baseOf(member.scope).peek(index)
}
