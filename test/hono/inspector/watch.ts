import type { Hono } from 'hono'

import { turn } from '../../support/crank.ts'

/** As much of what the page is told as the tests look at. */
export interface Told {
  readonly now: number
  readonly gauges: readonly Record<string, string | number>[]
  readonly events: readonly (Record<string, any> & { readonly type: string })[]
  readonly missed: boolean
  readonly left: number
}

export interface Watching extends AsyncDisposable {
  /** Everything since it watches, with the latest gauges, as soon as the condition holds. */
  until(condition: (told: Told) => boolean): Promise<Told>
  /** Whether the server has ended it. */
  ended(): Promise<boolean>
}

/** Listens as the page does. */
export async function watch(app: Hono<any>, path = '/_heddle/events'): Promise<Watching> {
  const leaving = new AbortController()
  const response = await app.request(path, { signal: leaving.signal })
  // Without a stream between, which would take more than is read.
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let all: Told = { now: 0, gauges: [], events: [], missed: false, left: 0 }
  const next = async (): Promise<boolean> => {
    const { done, value } = await reader.read()
    if (done) return false
    const messages = (rest + decoder.decode(value, { stream: true })).split('\n\n')
    rest = messages.pop() ?? ''
    for (const message of messages) {
      const told = JSON.parse(message.replace(/^data: /, '')) as Told
      all = { ...told, events: [...all.events, ...told.events], missed: all.missed || told.missed }
    }
    return true
  }
  await next()
  return {
    async until(condition) {
      while (!condition(all)) {
        if (!(await next())) throw new Error('The server has ended it')
      }
      return all
    },
    async ended() {
      while (await next());
      return true
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel()
      leaving.abort()
      // The server notices it.
      await turn()
    },
  }
}
