/**
 * A program of its own, since `node:domain` stays once it is loaded: callers inside domains, and what runs in
 * which. It writes one line of JSON.
 */
import domain, { type Domain } from 'node:domain'
import { EventEmitter } from 'node:events'

import { runNeutral, runRequest, Snapshot } from '@heddle/context'
import { createBatcher, instrument } from '@heddle/core'

import { sleep } from '../support/crank.ts'

const domains = new Map<Domain, string>()
const errors: string[] = []
const seen: Record<string, unknown> = {}

function create(name: string): Domain {
  const created = domain.create()
  domains.set(created, name)
  created.on('error', (error: Error) => errors.push(`${name}: ${error.message}`))
  return created
}

/** The name of the domain that runs now. */
function here(): string {
  const { domain: entered } = process as { readonly domain?: Domain | null }
  return (entered && domains.get(entered)) ?? 'none'
}

process.on('uncaughtException', (error) => errors.push(`process: ${error.message}`))

const [a, b] = [create('a'), create('b')]
instrument({
  async aroundBatch(_batch, _members, next) {
    seen.hook = here()
    await next()
  },
})

function throwLater(message: string): void {
  setTimeout(() => {
    throw new Error(message)
  }, 1)
}

const batcher = createBatcher<string, string>({
  name: 'in-domains',
  async run(names, { items }) {
    const places = [here()]
    await Promise.resolve()
    places.push(here())
    await sleep(1)
    places.push(here())
    throwLater('of the batch function')
    for (const item of items) {
      item.run(() => {
        places.push(here())
        throwLater(`of item.run of ${item.input}`)
        // An emitter takes the domain that it is made in, too.
        setTimeout(() => new EventEmitter().emit('error', new Error('of an emitter')), 1)
      })
      await item.run(async () => {
        await sleep(1)
        places.push(here())
      })
      places.push(here())
    }
    seen.batch = places
    return names
  },
})

async function submit(name: string): Promise<string[]> {
  const places = [here()]
  await batcher.submit(name)
  places.push(here())
  return places
}

seen.callers = await Promise.all([
  a.run(() => runRequest({ timeout: 60_000 }, () => submit('a'))),
  b.run(() => submit('b')),
  submit('none'),
])

seen.neutral = a.run(() => a.run(() => [runNeutral(here), here()]))
seen.thrown = a.run(() => {
  try {
    return runNeutral(() => {
      throw new Error('through')
    })
  } catch {
    return here()
  }
})
seen.snapshot = a.run(() => {
  const snapshot = Snapshot.capture()
  return b.run(() => [snapshot.run(here), here()])
})
seen.after = here()

// Not entered, and so not to be left.
Object.assign(process, { domain: a })
seen.set = runNeutral(() => 'runs')
Object.assign(process, { domain: null })

await sleep(20)
console.log(JSON.stringify({ ...seen, errors: errors.toSorted() }))
