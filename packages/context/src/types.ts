/** A typed slot of a scope. Identity is the object; the name serves logs, errors and partitions. */
export interface ContextKey<T> {
  /** Dotted, for example `app.tenant`. */
  readonly name: string
  /**
   * The value in the current scope, else the one that `initial` makes for it, else the key's default, else
   * `undefined`. In a batch a hidden key gives the default, never a member's value.
   *
   * @throws ContextError `SCOPE_CLOSED` (in production: warns once and returns the default)
   */
  get(): T | undefined
  /**
   * Like {@link get}, but throws when there is neither a value nor a default.
   *
   * @throws ContextError `NO_SCOPE`, `NO_VALUE`, `IN_BATCH` or `SCOPE_CLOSED`
   */
  getOrThrow(): T
  /**
   * Sets the value on the current scope. Scopes that were opened from it before do not see it, nor do
   * siblings. `undefined` removes the value.
   *
   * @throws ContextError `NO_SCOPE`, `IN_BATCH` or `SCOPE_CLOSED`
   */
  set(value: T): void
  /**
   * Like {@link set}, but throws when the scope shows a value already: an assertion that nobody else,
   * another request above all, has been here.
   *
   * @throws ContextError `ALREADY_SET`, or as {@link set}
   */
  setOnce(value: T): void
  /** Runs `fn` in a child scope with this value. The `Variable.run` of TC39 AsyncContext. */
  run<R>(value: T, fn: () => R): R
  /** This key with a value, for {@link run} and {@link runRequest}. */
  of(value: T): ContextEntry<T>
}

/** A key with a default always has a value. */
export interface DefaultedContextKey<T> extends ContextKey<T> {
  get(): T
}

export interface ContextEntry<T> {
  readonly key: ContextKey<T>
  readonly value: T
}

/**
 * What a batch sees of a key whose values its members set. Values compare by identity, and the batch sees the
 * very object that its members have, so treat an object that a batch may see as read-only.
 *
 * - `hide`: nothing.
 * - `partition`: the value; members that differ in it never share a batch.
 * - `same`: the value if all members have the same one (`Object.is`), else nothing.
 * - a function: what it returns for the members' values, in their order; `undefined` where a member
 *   has none. It runs on neutral ground, once per batch.
 *
 * Callers share running work (`dedupeBy`) only if they have the identical value, by `Object.is`, of every
 * key and adopted store whose rule is not `hide`. A new array or object per request is never identical, so
 * such a key shares none.
 */
export type BatchRule<T> =
  | 'hide'
  | 'partition'
  | 'same'
  | ((values: readonly (T | undefined)[]) => T | undefined)

export interface ContextKeyOptions<T> {
  /**
   * What `get()` gives where there is no value: one value for all scopes of the process. It does not count as
   * a value for `has` or partitions.
   *
   * In development an object that is not frozen is reported: every request would share it. Use `initial`.
   */
  readonly default?: T
  /**
   * Makes the value of a scope that has none, at its first `get()`. Each request gets a value of its own; its
   * child scopes share that value unless `child` is `'drop'`. Not called outside any scope or by a batch
   * function; there `get()` gives what the batch rule allows, else `undefined`. A value counts for partitions
   * only once it has been made.
   */
  readonly initial?: () => T
  /**
   * What a batch sees of this key.
   *
   * @defaultValue `'hide'`
   */
  readonly batch?: BatchRule<T>
  /**
   * Whether a child scope starts with its parent's value.
   *
   * @defaultValue `'inherit'`
   */
  readonly child?: 'inherit' | 'drop'
  /** How the value leaves the process; without it, it never does. */
  readonly carry?: Carry<T>
  /**
   * Keeps the value out of everything that is printed: `Batch.partition`, and so traces; `toJSON()`.
   *
   * @defaultValue `false`
   */
  readonly redact?: boolean
}

/** How a value is written into a {@link Carrier} and read from one. */
export interface Carry<T> {
  encode(value: T): string
  decode(text: string): T
  /**
   * The most that the encoded value may take, in bytes of its percent-encoded form.
   *
   * @defaultValue 4096
   */
  readonly maxBytes?: number
}

/** A scope on its way to another thread or process: plain data, structured-cloneable. */
export interface Carrier {
  readonly v: 1
  /** The id of the scope it was made from. */
  readonly id: string
  /** Name and percent-encoded value of each key with `carry`. */
  readonly entries: readonly (readonly [string, string])[]
  /** https://www.w3.org/TR/trace-context/, when a tracer has said how to write it. */
  readonly traceparent?: string
  /** ms that were left to the deadline when it was made. */
  readonly deadlineMs?: number
}

/** The values and the life of one request, or of a part of it. */
export interface Scope {
  /** Unique in the process; a request's id when it was opened with one. */
  readonly id: string
  readonly kind: 'request' | 'child' | 'item' | 'batch' | 'detached'
  readonly state: 'active' | 'settling' | 'closed'
  /** ms on the `performance.now()` clock. */
  readonly startTime: number
  readonly parent?: Scope | undefined
  /**
   * Aborts when the client leaves, the deadline passes or the owner says so, with an `Error` as its
   * reason; not on a normal close.
   */
  readonly signal: AbortSignal
  /** ms on the `performance.now()` clock; `undefined` without a timeout. */
  readonly deadline?: number | undefined
  /** ms since {@link startTime}. */
  elapsed(): number
  /**
   * The value of `key` in this scope, else the key's default.
   *
   * @throws ContextError `SCOPE_CLOSED` (in production: warns once and returns the default)
   */
  get<T>(key: ContextKey<T>): T | undefined
  /** Whether this scope has a value of `key`; a default does not count. */
  has(key: ContextKey<unknown>): boolean
  /**
   * Calls `fn` when the scope closes, while its values can still be read, in this scope and on neutral
   * ground besides. A child closes with its request; a scope outside any never does.
   *
   * @returns a Disposable that takes the call back
   * @throws ContextError `SCOPE_CLOSED` (in production: warns once and does nothing)
   */
  onClose(fn: () => void): Disposable
  /** Id, kind, state, age and values by the keys' names, those of `redact` keys left out. */
  toJSON(): object
}

export interface RequestOptions {
  /** Names the request in logs and traces. @defaultValue a random UUID */
  readonly id?: string
  /** Values to start with. */
  readonly entries?: Iterable<ContextEntry<any>>
  /** Aborts the scope: the client has left. */
  readonly signal?: AbortSignal
  /** ms from now to the scope's deadline. @defaultValue none */
  readonly timeout?: number
  /** Keeps the scope open until it settles, for example until the response body has ended. */
  readonly closeWhen?: PromiseLike<unknown>
}

/** An AsyncLocalStorage, or anything with the same two methods. */
export interface AdoptableStore<S> {
  /** The value of the code that runs now; `undefined` where no code has entered the store. */
  getStore(): S | undefined
  /** Calls `fn` once, synchronously, with this value in the store, and returns what `fn` returns. */
  run<R>(value: S, fn: () => R): R
}

/** A store of the app that batches know by a rule. The app's own code sets its values. */
export interface AdoptedKey<T> {
  /** Dotted, for example `app.tenant`. */
  readonly name: string
  /**
   * What `read` makes of the store's value. In a batch it is what the rule allows, `undefined` otherwise.
   *
   * @throws what `read` throws
   */
  get(): T | undefined
  /**
   * Like {@link get}, but throws when there is no value.
   *
   * @throws ContextError `NO_VALUE` or `IN_BATCH`
   */
  getOrThrow(): T
}

export interface AdoptOptions<S, T = S> {
  /** Names the store in logs, errors, partitions and carriers. */
  readonly name: string
  /** What a batch sees of the store. For values that filter rows, `'partition'` is the only right rule. */
  readonly batch: BatchRule<T>
  /**
   * Picks from the store's value what requests have in common; `undefined` counts as no value. A store that
   * holds an object per request needs it: compared by identity, each request would otherwise be a partition
   * of its own. Runs at each submit, in the caller's context; what it throws rejects the submit with
   * `BATCH_FAILED`.
   *
   * @defaultValue the store's value itself
   */
  readonly read?: (store: S) => T | undefined
  /**
   * Makes the store's value that a batch sees from what its members have in common. With `read` and without
   * `enter`, the store stays empty in a batch.
   *
   * @defaultValue without `read`, the value itself
   */
  readonly enter?: (value: T) => S
  /** How the value leaves the process; without it, it never does. */
  readonly carry?: Carry<T>
  /**
   * Keeps the value out of `Batch.partition`, traces and `toJSON()`.
   *
   * @defaultValue `false`
   */
  readonly redact?: boolean
}
