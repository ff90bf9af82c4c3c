import assert from 'node:assert/strict'

const STORY = ['there', 'was', 'a', 'fox']
const freed: string[] = []
const shown: string[] = []
const show = (word: string): void => void shown.push(word)

/** Where a prompt stands: what a model keeps of it on the device. */
class Session {
  position = 0
  readonly prompt: string

  constructor(prompt: string) {
    this.prompt = prompt
  }

  free(): void {
    freed.push(this.prompt)
  }
}

const model = {
  open: async (prompt: string): Promise<Session> => new Session(prompt),
  /** One forward pass for all sessions. */
  next: async (
    sessions: readonly Session[],
  ): Promise<readonly { text: string; isLast: boolean }[]> =>
    sessions.map((session) => {
      const text = STORY[session.position] ?? ''
      session.position += 1
      return { text, isLast: session.position === session.prompt.length }
    }),
}

// #region continuous
import { createContinuousBatcher } from '@heddle/core'

const words = createContinuousBatcher({
  name: 'words',
  maxActive: 32,
  start: (prompt: string) => model.open(prompt),
  step: async (active) => {
    const tokens = await model.next(active.map(({ state }) => state))
    return tokens.map(({ text, isLast }) => ({ chunk: text, done: isLast }))
  },
  end: (session) => session.free(),
})

for await (const word of words.stream('Once')) show(word)
// #endregion

assert.deepEqual(shown, STORY)
await words.drain()
assert.deepEqual(freed, ['Once'])
