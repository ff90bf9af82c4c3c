import { type Batcher, instrument } from '@heddle/core'

import { Loom } from './loom.ts'
import type { Body, Program } from './program.ts'
import { type Place, Witness } from './world.ts'

/** Plays a body at a place. */
export type Play = (body: Body, place: Place) => Promise<void>

export interface Client {
  readonly controller: AbortController
  /** The message of its abort, by which its request knows it again. */
  readonly leaving: string
}

/** What all requests of a program share, as they share a process. */
export class Stage {
  readonly witness: Witness = new Witness()
  readonly loom: Loom
  readonly clients: Client[] = []
  /** Every batcher that was made, those that were closed included. */
  readonly batchers: Batcher<any, any>[] = []
  readonly #loose: Promise<unknown>[] = []
  #submitting: Place | undefined

  constructor({ picks }: Program) {
    this.loom = new Loom(picks)
  }

  newClient(): Client {
    const client = {
      controller: new AbortController(),
      leaving: `client ${this.clients.length} left`,
    }
    this.clients.push(client)
    return client
  }

  abort(pick: number): void {
    const client = chosen(this.clients, pick)
    client?.controller.abort(new Error(client.leaving))
  }

  /** Nobody waits for it but the end of the program. */
  leave(work: Promise<unknown>): void {
    this.#loose.push(work)
  }

  /** Until the last of it, and what that started, has settled. */
  async end(): Promise<void> {
    do {
      for (let work = this.#loose.pop(); work; work = this.#loose.pop()) await work
      for (const batcher of this.batchers) await batcher.drain()
    } while (this.#loose.length > 0)
  }

  /** Calls `submit`, and knows meanwhile where: the hook of a submit is not told. */
  submitting<R>(place: Place, submit: () => R): R {
    this.#submitting = place
    try {
      return submit()
    } finally {
      this.#submitting = undefined
    }
  }

  /** Hooks that look around, until they are disposed. */
  instrument(): Disposable {
    const { witness } = this
    return instrument({
      onSubmit: () => {
        if (this.#submitting) witness.look(this.#submitting, 'onSubmit')
      },
      async aroundBatch(_batch, _members, next) {
        witness.lookForNobody('aroundBatch')
        try {
          await next()
        } finally {
          witness.lookForNobody('aroundBatch at its end')
        }
      },
      onSettle: () => witness.lookForNobody('onSettle'),
    })
  }
}

export function chosen<T>(among: readonly T[], pick: number): T | undefined {
  return among[pick % among.length]
}
