import { BaseScope, type BatchIdentity, type OwnerScope } from './scope.ts'

let opened = 0

/** A part of a request, or of a batch, with values of its own; without a parent it never closes. */
export class ChildScope extends BaseScope {
  override readonly kind = 'child'
  override readonly parent: BaseScope | undefined
  override readonly owner: OwnerScope | undefined
  override readonly batch: BatchIdentity | undefined
  readonly #number = (opened += 1)
  #signal: AbortSignal | undefined

  constructor(parent: BaseScope | undefined) {
    super(parent?.share())
    this.parent = parent
    this.owner = parent?.owner
    this.batch = parent?.batch
    this.owner?.adopt(this)
  }

  get id(): string {
    return `${this.parent?.id ?? 'scope'}.${this.#number}`
  }

  get signal(): AbortSignal {
    // Without a parent nothing aborts it. One signal each: a shared one would keep every listener.
    return this.parent?.signal ?? (this.#signal ??= new AbortController().signal)
  }

  get deadline(): number | undefined {
    return this.parent?.deadline
  }
}
