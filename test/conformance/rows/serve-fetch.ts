import { ReadableStream as NodeReadableStream } from 'node:stream/web'

import { abort, iterable, stream } from '../mends.ts'
import { inA, seen, sleep } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'
import { withFetchServer } from '../serve-fetch.ts'

const BODY =
  'The server reads the body after the handler has returned, when the scope of the request is no longer the current one.'

type Tell = () => void

/** What the answer of a handler of A sees while it is read to its end. */
function answering(answer: (tell: Tell) => BodyInit): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  return withFetchServer(
    () =>
      inA(async () => {
        const response = new Response(answer(() => resolve(seen())))
        // Handlers are mostly async, so the body has started before the server reads it.
        await sleep(1)
        return response
      }),
    async (url) => {
      await (await fetch(url)).text()
      return promise
    },
  )
}

/** What the answer of a handler of A sees when the client leaves in the middle of it. */
function abandoning(answer: (request: Request, tell: Tell) => BodyInit): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  return withFetchServer(
    (request) => inA(() => new Response(answer(request, () => resolve(seen())))),
    async (url) => {
      const controller = new AbortController()
      const { body } = await fetch(url, { signal: controller.signal })
      await body?.getReader().read()
      controller.abort()
      return promise
    },
  )
}

/** Never ends, and tells of its `cancel`. */
function endless(tell: Tell = () => {}): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await sleep(1)
      controller.enqueue(new Uint8Array(1))
    },
    cancel: tell,
  })
}

async function* generate(tell: Tell): AsyncGenerator<Uint8Array> {
  await sleep(1)
  yield new Uint8Array(1)
  tell()
}

export const servers: Group = {
  title: 'Servers that speak `fetch`: `Bun.serve`, `Deno.serve`, and on Node `@hono/node-server`',
  rows: [
    row('handler, requested by A', '∅', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      return withFetchServer(
        () => {
          resolve(seen())
          return new Response('answer')
        },
        async (url) => {
          await inA(async () => (await fetch(url)).text())
          return promise
        },
      )
    }),
    row('after `await request.text()`', 'A', () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      return withFetchServer(
        (request) =>
          inA(async () => {
            await request.text()
            resolve(seen())
            return new Response('answer')
          }),
        async (url) => {
          await (await fetch(url, { method: 'POST', body: 'x'.repeat(300_000) })).text()
          return promise
        },
      )
    }),
    mendedRow(
      'response body of A: second `pull`',
      'A',
      stream,
      (bound) =>
        answering((tell) => {
          let pulls = 0
          const source: UnderlyingDefaultSource<Uint8Array> = {
            async pull(controller) {
              pulls += 1
              await sleep(1)
              controller.enqueue(new Uint8Array(1))
              if (pulls < 2) return
              tell()
              controller.close()
            },
          }
          return bound(new ReadableStream(source, { highWaterMark: 0 }))
        }),
      { why: BODY },
    ),
    mendedRow(
      'response body of A from `ReadableStream.from`: generator body',
      'A',
      iterable,
      async (bound) => {
        if (!('from' in ReadableStream)) return 'n/a'
        return answering((tell) => NodeReadableStream.from(bound(generate(tell))) as BodyInit)
      },
      { issues: ['nodejs/node#42237'] },
    ),
    mendedRow(
      'response body of A that is an async generator: its body',
      'A',
      iterable,
      async (bound) => {
        // Not every runtime takes one: the others send its name.
        const text = await new Response(generate(() => {}) as unknown as BodyInit).text()
        if (text.length > 1) return 'n/a'
        return answering((tell) => bound(generate(tell)) as unknown as BodyInit)
      },
      { issues: ['oven-sh/bun#41561'] },
    ),
    mendedRow('response body of A: `cancel`, the client leaves', 'A', stream, (bound) =>
      abandoning((_request, tell) => bound(endless(tell))),
    ),
    mendedRow('`request.signal`: listener of A, the client leaves', 'A', abort, (onAbort) =>
      abandoning((request, tell) => {
        onAbort(request.signal, tell)
        return endless()
      }),
    ),
  ],
}
