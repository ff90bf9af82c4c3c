import { AsyncResource } from 'node:async_hooks'

import { enterResource } from './neutral.ts'
import { storage } from './registry.ts'
import { type BaseScope, baseOf } from './scope.ts'
import type { Scope } from './types.ts'
import type { Values } from './visible-values.ts'
import { warn } from './warning.ts'

/**
 * Work that somebody started in the current context and that an engine finishes later: it is the way
 * back into that context (all AsyncLocalStorage at once), keeps the request's scope open until it is
 * released, and hears when the request is aborted.
 *
 * It is an AsyncResource itself, and the scope links its tasks in a list, because an engine makes one
 * for every item: no closure, no listener, no set entry.
 */
export abstract class Task extends AsyncResource {
  // Set in the constructor: an initializer of each would cost every item more.
  /** The scope it was made in. */
  declare readonly scope: BaseScope | undefined
  /** Neighbours in the request's list of tasks; for the scope alone. */
  declare previousTask: Task | undefined
  declare nextTask: Task | undefined
  /** The request that it keeps open. */
  declare private request: TaskOwner | undefined
  /** What a batch may see of its caller: by that it was partitioned. `undefined` until an engine takes it. */
  declare values: Values | undefined

  constructor(type: string) {
    super(type, MANUAL)
    const scope = storage.getStore()
    this.scope = scope
    this.previousTask = undefined
    this.nextTask = undefined
    this.request = undefined
    this.values = undefined
  }

  /** Runs `fn` in the context in which it was made. */
  run<R>(fn: () => R): R {
    return enterResource(this, fn)
  }

  /** Called when the request is aborted, in the context of whoever aborted it. */
  abstract onScopeAbort(reason: Error): void

  /** Why its request was aborted, if it was. */
  protected get scopeAbortReason(): Error | undefined {
    const owner = this.scope?.owner
    return owner && isTaskOwner(owner) ? owner.abortReason : undefined
  }

  /** Joins the request's open tasks. Does nothing where there is no request, or it has closed. */
  protected join(): void {
    const owner = this.scope?.owner
    if (owner === undefined || !isTaskOwner(owner) || owner.closedAt !== undefined) return
    this.request = owner
    owner.addTask(this)
  }

  /** Gives the request free: it may close, and this task no longer leads back to it. Idempotent. */
  release(): void {
    this.values = undefined
    const request = this.request
    if (request === undefined) return
    this.request = undefined
    request.removeTask(this)
  }
}

/** One for all, since Node reads it for each. */
const MANUAL = { requireManualDestroy: true }

/** A scope that waits for tasks: a request. */
export interface TaskOwner {
  readonly abortReason: Error | undefined
  addTask(task: Task): void
  removeTask(task: Task): void
}

function isTaskOwner(owner: object): owner is TaskOwner {
  return 'addTask' in owner
}

/** The error as the request of `scope` wants it; as it is, if the adapter fails. */
export function adaptedFailure(scope: Scope | undefined, error: Error): Error {
  const owner = scope && baseOf(scope).owner
  if (owner === undefined) return error
  try {
    return owner.adaptFailure(error)
  } catch (cause) {
    warn('ADAPTER_FAILED', 'adaptFailure', 'The adapter of an engine’s errors threw', cause)
    return error
  }
}
