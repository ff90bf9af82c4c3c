/** A context that is missing, closed, or not to be seen from here. */
export class ContextError extends Error {
  override readonly name = 'ContextError'
  /** Branch on this, never on the message. */
  readonly code: ContextErrorCode

  constructor(code: ContextErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * - `NO_SCOPE`: no scope is open here.
 * - `NO_VALUE`: the key has neither a value nor a default, or the adopted store is empty.
 * - `IN_BATCH`: in a batch function, a value that belongs to each member and not to the batch was read with
 *   `getOrThrow`, or set; or a store of the app was found empty that has a value for a member.
 * - `SCOPE_CLOSED`: the scope has closed, so its values are gone.
 * - `ALREADY_SET`: `setOnce` found a value.
 * - `ITEM_SETTLED`: the snapshot was released, or the batch function of the item has settled.
 * - `DUPLICATE_KEY`: two keys of one name have `carry`, a store is adopted under two names, or `entries` has
 *   a key twice. Also a warning.
 * - `DIRTY_NEUTRAL`: `@heddle/context` was first imported inside a request. Only a warning.
 * - `FOREIGN_LEAK`: a batch function saw a request's value of a watched store. Only a warning.
 * - `INVALID_CARRIER`: the carrier is malformed or too large, or an `encode` or `decode` failed.
 */
export type ContextErrorCode =
  | 'NO_SCOPE'
  | 'NO_VALUE'
  | 'IN_BATCH'
  | 'SCOPE_CLOSED'
  | 'ALREADY_SET'
  | 'ITEM_SETTLED'
  | 'DUPLICATE_KEY'
  | 'DIRTY_NEUTRAL'
  | 'FOREIGN_LEAK'
  | 'INVALID_CARRIER'

/** Each message names what is missing, the likely cause and the cure. */
export function noScope(wanted: string): ContextError {
  return new ContextError(
    'NO_SCOPE',
    `No scope here, so ${wanted} is not available. ` +
      'Likely cause: this code runs before `app.use(heddle())` or `runRequest()`, or in a callback ' +
      'that was registered elsewhere (an event emitter, a connection pool). ' +
      'Cure: open a scope first, or wrap the callback with `Snapshot.capture().wrap(callback)` inside the request.',
  )
}

export function noValue(key: string): ContextError {
  return new ContextError(
    'NO_VALUE',
    `\`${key}\` has no value in this scope. ` +
      'Likely cause: the middleware that sets it has not run for this route. ' +
      `Cure: \`set()\` it earlier, give the key a default, or use \`get()\` and handle undefined.`,
  )
}

export function inBatch(key: string, batch: string, members: number): ContextError {
  return new ContextError(
    'IN_BATCH',
    `\`${key}\` belongs to each of the ${members} members of batch \`${batch}\`, not to the batch. ` +
      `Cure: \`item.get(key)\` or \`item.run(fn)\` for one member; ` +
      "or create the key with `batch: 'partition'` if items that differ in it must not share a batch.",
  )
}

/**
 * @param closed - how long ago it was closed
 * @param opened - where in the code the scope was opened, if that is known
 */
export function scopeClosed(
  wanted: string,
  scope: string,
  closed: string,
  opened: string | undefined,
): ContextError {
  return new ContextError(
    'SCOPE_CLOSED',
    `Scope \`${scope}\` was closed ${closed} ago, so ${wanted} is gone. ` +
      'Likely cause: work that was not awaited outlived its request. ' +
      'Cure: await it before the response ends, or start it with `detach(fn, { keep: [key] })`.' +
      (opened === undefined ? '' : `\nThe scope was opened${opened}`),
  )
}

export function noStoreValue(store: string): ContextError {
  return new ContextError(
    'NO_VALUE',
    `The adopted store \`${store}\` has no value here. ` +
      'Likely cause: this code runs before the middleware that enters the store, or outside any request. ' +
      'Cure: enter the store first, or use `get()` and handle undefined.',
  )
}

export function adoptedTwice(store: string, name: string): ContextError {
  return new ContextError(
    'DUPLICATE_KEY',
    `The store that is to be adopted as \`${name}\` is adopted as \`${store}\` already. ` +
      'Cure: adopt each store once, and export the key.',
  )
}

/** Of two keys with `carry`; the sites are where in the code they are created, if that is known. */
export function duplicateCarry(
  key: string,
  first: string | undefined,
  second: string | undefined,
): ContextError {
  const sites = first && second ? `: one in ${first}, one in ${second}` : ''
  return new ContextError(
    'DUPLICATE_KEY',
    `There are two keys \`${key}\` with \`carry\`${sites}, and a carrier knows keys by their names. ` +
      'Likely cause: two modules have chosen the same name, or one of them is there twice. ' +
      'Cure: create the key once and import it, or give one of them another name.',
  )
}
