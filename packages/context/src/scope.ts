import { clock } from './clock.ts'
import { type ContextError, scopeClosed } from './errors.ts'
import type { Key } from './key.ts'
import { runNeutral } from './neutral.ts'
import { closeCallback } from './own-stores/close-callback.ts'
import type { StoreGuard } from './own-stores/store-guard.ts'
import { registry } from './registry.ts'
import type { ContextKey, Scope } from './types.ts'
import { isDevelopment, warn } from './warning.ts'

/**
 * Whether a scope reads the clock when it closes. That is a sixth of what a request's scope costs, so
 * outside development the latest reading that anybody has made must do: it was closed after that.
 */
const closesExactly = isDevelopment()

/** Values by key index. A place without a value is `undefined` or beyond the end. */
type Slots = unknown[]

const EMPTY: Slots = []

/** What a batch scope tells about itself in the errors of hidden keys. */
export interface BatchIdentity {
  readonly name: string
  readonly size: number
  /** The engine that opened it. */
  readonly engine: object | undefined
  /** The root scopes of its members, each once, until it closes; `undefined` among them is outside any request. */
  readonly roots: ReadonlySet<Scope | undefined> | undefined
  /** What its code sees, with what all members have in the place of what a merge rule has made of that. */
  valuesOfMembers(values: readonly unknown[]): readonly unknown[]
  /** Its code reads what only its members have: nobody else may join their work. */
  expose(): void
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
  readonly startTime: number
  #slots: Slots
  /** Whether `#slots` is this scope's alone, so that a write need not copy. */
  #own = false

  /** @param startTime - ms on the `performance.now()` clock, where the caller has just read it */
  constructor(slots: Slots = EMPTY, startTime: number = clock.now()) {
    this.#slots = slots
    this.startTime = startTime
  }

  get state(): Scope['state'] {
    return this.owner?.ownState ?? 'active'
  }

  elapsed(): number {
    return clock.now() - this.startTime
  }

  get<T>(key: ContextKey<T>): T | undefined {
    const { index, name, defaultValue, initial } = key as Key<T>
    const value = this.read(index, name) as T | undefined
    if (value !== undefined) return value
    return initial === undefined ? defaultValue : this.initialise(key as Key<T>)
  }

  /** Whether its values were decided when it was opened, as those of a batch are. */
  get isReadOnly(): boolean {
    return false
  }

  /**
   * Makes the value of a scope that has none. Child scopes that inherit it take their request's, so that all
   * of a request have one, in whichever scope it is first read.
   */
  initialise<T>(key: Key<T>): T | undefined {
    const own = this.#slots[key.index] as T | undefined
    if (own !== undefined || this.isReadOnly || this.owner?.closedAt !== undefined) return own
    const inherited = key.isInherited ? this.parent?.initialise(key) : undefined
    const value = inherited === undefined ? key.initial?.() : inherited
    this.write(key.index, key.name, value)
    return value
  }

  has(key: ContextKey<unknown>): boolean {
    const { index } = key as Key<unknown>
    return this.#slots[index] !== undefined
  }

  /** A closed scope has no values, so an open one pays nothing for the check. */
  read(index: number, name: string): unknown {
    const value = this.#slots[index]
    if (value === undefined) this.assertOpen(name)
    return value
  }

  /** The value without a question: a closed scope has none. */
  peek(index: number): unknown {
    return this.#slots[index]
  }

  write(index: number, name: string, value: unknown): void {
    if (!this.assertOpen(name)) return
    if (!this.#own) {
      this.#slots = [...this.#slots]
      this.#own = true
    }
    this.#slots[index] = value
  }

  /** The values as they are now: a later write copies them. */
  keep(): readonly unknown[] {
    this.#own = false
    return this.#slots
  }

  /** The slots for a child to start with. */
  share(): Slots {
    this.#own = false
    if (!registry.droppedKeys.some(({ index }) => this.#slots[index] !== undefined)) {
      return this.#slots
    }
    const slots = [...this.#slots]
    for (const { index } of registry.droppedKeys) slots[index] = undefined
    return slots
  }

  onClose(fn: () => void): Disposable {
    if (!this.assertOpen('onClose()') || this.owner === undefined) return { [Symbol.dispose]() {} }
    return this.owner.addCloseCallback(closeCallback(this, this.owner, fn))
  }

  toJSON(): object {
    const values = this.#slots.flatMap((value, index) => {
      const key = registry.keys[index]
      return value === undefined || key === undefined || key.redact ? [] : [[key.name, value]]
    })
    const { id, kind, state } = this
    return { id, kind, state, elapsed: this.elapsed(), values: Object.fromEntries(values) }
  }

  /** Forgets every value, so that what still holds the scope holds nothing of its request. */
  empty(): void {
    this.#slots = EMPTY
    this.#own = false
  }

  /** @returns whether it is open; in development it throws if it is not */
  assertOpen(wanted: string): boolean {
    if (this.owner?.closedAt === undefined) return true
    const error = this.closedError(wanted)
    if (isDevelopment()) throw error
    warn(error.code, wanted, error.message)
    return false
  }

  closedError(wanted: string): ContextError {
    const { closedAt = clock.now(), openedAt } = this.owner ?? {}
    const elapsed = `${(clock.now() - closedAt).toFixed(1)} ms`
    const closed = closesExactly ? elapsed : `at most ${elapsed}`
    return scopeClosed(`\`${wanted}\``, this.id, closed, openedAt)
  }
}

/** A scope that closes, and with it the scopes inside it. */
export abstract class OwnerScope extends BaseScope {
  // Set in the constructor or when they are needed: with initializers of its own, a class between two
  // others costs every request 15 ns.
  /** ms on the `performance.now()` clock; outside development the latest reading before it closed. */
  declare closedAt: number | undefined
  declare ownState: Scope['state']
  /** Where it was opened, in development. */
  declare openedAt?: string | undefined
  declare closeCallbacks?: Set<{ readonly fn: () => void }> | undefined
  /** Weak, since a request may open any number of child scopes before it ends. */
  declare children?: WeakRef<BaseScope>[] | undefined
  /** Looks at reads of the app's own stores in it, in development. */
  declare storeGuard?: StoreGuard | undefined

  constructor(startTime?: number) {
    super(EMPTY, startTime)
    this.closedAt = undefined
    this.ownState = 'active'
  }

  get owner(): OwnerScope {
    return this
  }

  /**
   * What a protocol makes of an engine's error in its requests: an HTTP adapter gives it a status. It
   * is asked about every error that an engine causes in this scope, never about those of batch functions.
   */
  adaptFailure(error: Error): Error {
    return error
  }

  adopt(child: BaseScope): void {
    const children = (this.children ??= [])
    const count = children.push(new WeakRef(child))
    // At 64, 128, 256 … so that what is looked through is in proportion to what was added.
    if (count < 64 || (count & (count - 1)) !== 0) return
    this.children = children.filter((reference) => reference.deref() !== undefined)
  }

  /** @returns what takes the call back */
  addCloseCallback(fn: () => void): Disposable {
    const callbacks = (this.closeCallbacks ??= new Set())
    // An object of its own, since the same function may be given twice.
    const callback = { fn }
    callbacks.add(callback)
    return { [Symbol.dispose]: () => void callbacks.delete(callback) }
  }

  close(): void {
    if (this.closedAt !== undefined) return
    if (this.closeCallbacks) this.#callBack(this.closeCallbacks)
    this.closedAt = closesExactly ? clock.now() : clock.latest
    this.ownState = 'closed'
    this.empty()
    if (this.children === undefined) return
    for (const reference of this.children) reference.deref()?.empty()
    this.children = undefined
  }

  /** The last one first, as a stack of disposables does. */
  #callBack(registered: ReadonlySet<{ readonly fn: () => void }>): void {
    const callbacks = [...registered].toReversed()
    this.closeCallbacks = undefined
    for (const { fn } of callbacks) {
      try {
        runNeutral(fn)
      } catch (error) {
        warn('CALLBACK_FAILED', 'onClose', `\`onClose\` of scope \`${this.id}\` threw`, error)
      }
    }
  }
}

/** A scope as this package knows it: nobody else can make one. */
export function baseOf(scope: Scope): BaseScope {
  return scope as BaseScope
}
