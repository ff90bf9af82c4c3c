import assert from 'node:assert/strict'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

async function* words(): AsyncGenerator<Uint8Array> {
  yield bytes('hello ')
  await Promise.resolve()
  yield bytes(user.getOrThrow())
}

function lines(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      await Promise.resolve()
      controller.enqueue(bytes(`${user.getOrThrow()}\n`))
      controller.close()
    },
  })
}

// #region bodies
import { bindAsyncIterable, bindReadableStream, createKey } from '@heddle/context'
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'

const user = createKey<string>('app.user')

const app = new Hono()
app.use(heddle())
app.use((c, next) => {
  user.set(c.req.header('x-user') ?? 'nobody')
  return next()
})
app.get('/lines', () => new Response(bindReadableStream(lines())))
// The types of Bun know that a body may be an iterable, those of the DOM do not.
app.get('/words', () => new Response(bindAsyncIterable(words()) as unknown as BodyInit))
// #endregion

for (const who of ['ada', 'bob']) {
  const headers = { 'x-user': who }
  assert.equal(await (await app.request('/lines', { headers })).text(), `${who}\n`)
  assert.equal(await (await app.request('/words', { headers })).text(), `hello ${who}`)
}
