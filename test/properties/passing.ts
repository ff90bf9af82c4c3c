import {
  bindAsyncIterable,
  bindReadableStream,
  type Carrier,
  current,
  onAbort,
  runCarrier,
  Snapshot,
  toCarrier,
  wrapListener,
} from '@heddle/context'

import type { PassingStep } from './program.ts'
import { chosen, type Play, type Stage } from './stage.ts'
import { ModelScope, type Place, type Values } from './world.ts'

interface Captured {
  readonly snapshot: Snapshot
  readonly place: Place
}

/** A bound iterable or stream, to be read by anybody. */
interface Source {
  read(): Promise<unknown>
  end(): Promise<unknown> | undefined
}

/** What one request makes and any other finds and uses, each in its own context. */
export class Passing {
  readonly #stage: Stage
  readonly #play: Play
  readonly #snapshots: Captured[] = []
  readonly #carriers: { readonly carrier: Carrier; readonly values: Values }[] = []
  readonly #sources: Source[] = []
  readonly #listeners = new Set<() => void>()

  constructor(stage: Stage, play: Play) {
    this.#stage = stage
    this.#play = play
  }

  do(step: PassingStep, place: Place): Promise<void> | void {
    switch (step.kind) {
      case 'capture':
        this.#snapshots.push({ snapshot: Snapshot.capture(), place })
        return undefined
      case 'release':
        return chosen(this.#snapshots, step.pick)?.snapshot.release()
      case 'enter': {
        const captured = chosen(this.#snapshots, step.pick)
        if (captured === undefined || captured.snapshot.isReleased) return undefined
        const level = Math.max(place.level, captured.place.level)
        const there = { ...captured.place, level, mayClose: true }
        return captured.snapshot.run(() => this.#play(step.body, there))
      }
      case 'carry':
        return this.#carry(place)
      case 'arrive': {
        const arrived = chosen(this.#carriers, step.pick)
        if (arrived === undefined) return undefined
        return runCarrier(arrived.carrier, () => {
          const scope = new ModelScope(current(), { ...arrived.values })
          return this.#play(step.body, { ...place, scope, mayClose: false })
        })
      }
      case 'listen':
        return this.#listen(place)
      case 'emit':
        return this.#emit()
      case 'onAbort':
        return this.#onAbort(step.pick, place)
      case 'offer': {
        const bound = bindAsyncIterable(this.#values({ ...place, mayClose: true }))
        const iterator = bound[Symbol.asyncIterator]()
        this.#sources.push({ read: () => iterator.next(), end: () => iterator.return?.() })
        return undefined
      }
      case 'offer stream': {
        const bound = bindReadableStream(this.#stream({ ...place, mayClose: true }))
        // Not by its iterator: on Node that hangs at times when several ask it at once.
        const reader = bound.getReader()
        this.#sources.push({ read: () => reader.read(), end: () => reader.cancel() })
        return undefined
      }
      case 'read':
        return chosen(this.#sources, step.pick)?.read().then(ignore)
      case 'end':
        return chosen(this.#sources, step.pick)?.end()?.then(ignore)
    }
  }

  #carry(place: Place): void {
    const tenant = place.scope?.values.tenant
    // As a worker gets it: what `toCarrier` gives must hold nothing of the scope.
    const carrier = structuredClone(toCarrier())
    this.#carriers.push({ carrier, values: tenant === undefined ? {} : { tenant } })
  }

  #listen(place: Place): void {
    const listener = wrapListener(() => {
      this.#stage.witness.look({ ...place, mayClose: true }, 'wrapListener')
    })
    this.#listeners.add(listener)
  }

  #emit(): void {
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        // It says so when its scope has closed, and is not called again.
        this.#listeners.delete(listener)
        if ((error as { code?: string }).code !== 'SCOPE_CLOSED') throw error
      }
    }
  }

  #onAbort(pick: number, place: Place): void {
    const client = chosen(this.#stage.clients, pick)
    if (client === undefined) return
    // The end of its scope takes it off, so when it is called the scope is open.
    const listener = (): void => this.#stage.witness.look({ ...place, mayClose: false }, 'onAbort')
    onAbort(client.controller.signal, listener)
  }

  async *#values(place: Place): AsyncGenerator<string> {
    const { loom, witness } = this.#stage
    try {
      for (let count = 0; count < 3; count += 1) {
        witness.look(place, 'bound iterable')
        await loom.pause()
        witness.look(place, 'bound iterable after a pause')
        yield String(count)
      }
    } finally {
      witness.look(place, 'bound iterable at its end')
    }
  }

  #stream(place: Place): ReadableStream<string> {
    const { loom, witness } = this.#stage
    let count = 0
    return new ReadableStream<string>(
      {
        async pull(controller) {
          witness.look(place, 'bound stream')
          await loom.pause()
          witness.look(place, 'bound stream after a pause')
          count += 1
          if (count > 3) controller.close()
          else controller.enqueue(String(count))
        },
        cancel: () => witness.look(place, 'bound stream at its cancel'),
      },
      { highWaterMark: 0 },
    )
  }
}

function ignore(): void {
  // What was read does not matter, only where.
}
