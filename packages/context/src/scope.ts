import { scopeClosed } from './errors.ts'
import type { Key } from './key.ts'
import type { ContextKey, Scope } from './types.ts'
import { isDevelopment, warn } from './warning.ts'

/** Values by key index. A place without a value is `undefined` or beyond the end. */
type Slots = unknown[]

const EMPTY: Slots = []

/** What a batch scope tells about itself in the errors of hidden keys. */
export interface BatchIdentity {
  readonly name: string
  readonly size: number
  /** The engine that opened it. */
  readonly engine: object | undefined
}

/**
 * The slots of a scope. A child starts with the slots of its parent and both copy them when they
 * write, so opening a scope costs nothing per key and a read costs the same at every depth.
 *
 * Its members without `#` are for the other files of this package: scopes of another copy of the
 * package have the same ones.
 */
export abstract class BaseScope implements Scope {
  abstract readonly id: string
  abstract readonly kind: Scope['kind']
  abstract readonly signal: AbortSignal
  abstract readonly deadline: number | undefined
  abstract readonly parent: BaseScope | undefined
  /** The scope whose close ends this one: itself, a parent, or none. */
  abstract readonly owner: OwnerScope | undefined
  /** The batch that this scope is, or is inside of. */
  abstract readonly batch: BatchIdentity | undefined
  readonly startTime: number = performance.now()
  #slots: Slots
  /** Whether `#slots` is this scope's alone, so that a write need not copy. */
  #own = false

  constructor(slots: Slots = EMPTY) {
    this.#slots = slots
  }

  get state(): Scope['state'] {
    return this.owner?.ownState ?? 'active'
  }

  elapsed(): number {
    return performance.now() - this.startTime
  }

  get<T>(key: ContextKey<T>): T | undefined {
    const { index, name, defaultValue } = key as Key<T>
    const value = this.read(index, name) as T | undefined
    return value === undefined ? defaultValue : value
  }

  has(key: ContextKey<unknown>): boolean {
    const { index } = key as Key<unknown>
    return this.#slots[index] !== undefined
  }

  /** A closed scope has no values, so an open one pays nothing for the check. */
  read(index: number, name: string): unknown {
    const value = this.#slots[index]
    if (value === undefined) this.#assertOpen(name)
    return value
  }

  write(index: number, name: string, value: unknown): void {
    if (!this.#assertOpen(name)) return
    if (!this.#own) {
      this.#slots = [...this.#slots]
      this.#own = true
    }
    this.#slots[index] = value
  }

  /** The slots for a child to start with. */
  share(): Slots {
    this.#own = false
    return this.#slots
  }

  /** Forgets every value, so that what still holds the scope holds nothing of its request. */
  empty(): void {
    this.#slots = EMPTY
    this.#own = false
  }

  #assertOpen(name: string): boolean {
    const closedAt = this.owner?.closedAt
    if (closedAt === undefined) return true
    const error = scopeClosed(`\`${name}\``, this.id, performance.now() - closedAt)
    if (isDevelopment()) throw error
    warn(error.code, name, error.message)
    return false
  }
}

/** A scope that closes, and with it the scopes inside it. */
export abstract class OwnerScope extends BaseScope {
  override readonly owner: OwnerScope = this
  /** ms on the `performance.now()` clock. */
  closedAt: number | undefined
  ownState: Scope['state'] = 'active'
  // Weak, since a request may open any number of child scopes before it ends.
  #children: WeakRef<BaseScope>[] = []
  #childrenBeforePruning = 64

  adopt(child: BaseScope): void {
    this.#children.push(new WeakRef(child))
    if (this.#children.length < this.#childrenBeforePruning) return
    this.#children = this.#children.filter((reference) => reference.deref() !== undefined)
    this.#childrenBeforePruning = Math.max(64, this.#children.length * 2)
  }

  close(): void {
    if (this.closedAt !== undefined) return
    this.closedAt = performance.now()
    this.ownState = 'closed'
    this.empty()
    for (const reference of this.#children) reference.deref()?.empty()
    this.#children = []
  }
}

/** A scope as this package knows it: nobody else can make one. */
export function baseOf(scope: Scope): BaseScope {
  return scope as BaseScope
}
