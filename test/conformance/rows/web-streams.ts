import { ReadableStream as NodeReadableStream } from 'node:stream/web'

import { iterable, stream, wrap } from '../mends.ts'
import { inA, laterInB, seen, sleep, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const SOURCE =
  'The code of a source belongs to whoever made the stream: who reads it is mostly the server.'
const SINK = 'A sink is called by a write, which is a call like any other.'
const LAZY = { highWaterMark: 0 }

/** Tells what its `count`th pull sees. */
function telling(count: number, tell: () => void): UnderlyingDefaultSource<Uint8Array> {
  let pulls = 0
  return {
    pull(controller) {
      pulls += 1
      controller.enqueue(new Uint8Array(1))
      if (pulls < count) return
      controller.close()
      tell()
    },
  }
}

async function* generate(note: (seen: string) => void): AsyncGenerator<string> {
  await sleep(1)
  note(seen())
  yield 'chunk'
}

export const webStreams: Group = {
  title: 'Web streams',
  rows: [
    row('`ReadableStream` of A: `start`', 'A', () =>
      told((tell) => inA(() => new ReadableStream({ start: tell }))),
    ),
    row('`ReadableStream` of A: `pull` before anybody reads', 'A', () =>
      told((tell) => inA(() => new ReadableStream(telling(1, tell)))),
    ),
    mendedRow(
      '`ReadableStream` of A: `pull`, read by B',
      'A',
      stream,
      (bound) =>
        told((tell) => {
          const source = inA(() => bound(new ReadableStream(telling(1, tell), LAZY)))
          laterInB(() => source.getReader().read())
        }),
      { why: SOURCE },
    ),
    mendedRow('`ReadableStream` of A: second `pull`, read by B', 'A', stream, (bound) =>
      told((tell) => {
        const source = inA(() => bound(new ReadableStream(telling(2, tell), LAZY)))
        laterInB(async () => {
          const reader = source.getReader()
          await reader.read()
          await reader.read()
        })
      }),
    ),
    mendedRow('`ReadableStream` of A: `cancel` by B', 'A', stream, (bound) =>
      told((tell) => {
        const source = inA(() => bound(new ReadableStream({ cancel: tell }, LAZY)))
        laterInB(() => source.cancel())
      }),
    ),
    mendedRow(
      '`ReadableStream` of A with `type: "bytes"`: `pull`, read by B',
      'A',
      stream,
      (bound) =>
        told((tell) => {
          const source = inA(() =>
            bound(
              new ReadableStream({
                type: 'bytes',
                pull(controller) {
                  controller.enqueue(new Uint8Array(1))
                  tell()
                },
              }),
            ),
          )
          laterInB(() => source.getReader().read())
        }),
    ),
    mendedRow('`ReadableStream` of A: `pull`, read by B through `tee`', 'A', stream, (bound) =>
      told((tell) => {
        const source = inA(() => bound(new ReadableStream(telling(1, tell), LAZY)))
        laterInB(() => source.tee()[0].getReader().read())
      }),
    ),
    mendedRow(
      '`ReadableStream` of A: `pull`, read by B through `Response.text`',
      'A',
      stream,
      (bound) =>
        told((tell) => {
          const source = inA(() => bound(new ReadableStream(telling(1, tell), LAZY)))
          laterInB(() => new Response(source).text())
        }),
    ),
    mendedRow(
      '`ReadableStream.from` of A: generator body, read by B',
      'A',
      iterable,
      async (bound) => {
        if (!('from' in ReadableStream)) return 'n/a'
        const { promise, resolve } = Promise.withResolvers<string>()
        const source = inA(() => NodeReadableStream.from(bound(generate(resolve))))
        laterInB(() => source.getReader().read())
        return promise
      },
      { issues: ['nodejs/node#42237'] },
    ),
    row('`read()` of A, enqueued by B', 'A', () => {
      const { readable, writable } = new TransformStream()
      const saw = inA(() => readable.getReader().read().then(seen))
      laterInB(() => writable.getWriter().write('chunk'))
      return saw
    }),
    row('`ReadableStream` in `for await` of A, enqueued by B', 'A', () => {
      const { readable, writable } = new TransformStream()
      const saw = inA(async () => {
        for await (const _ of readable) return seen()
        return 'none'
      })
      laterInB(() =>
        writable
          .getWriter()
          .write('chunk')
          .catch(() => {}),
      )
      return saw
    }),
    row('`reader.closed` of A, closed by B', 'A', () => {
      const { readable, writable } = new TransformStream()
      const saw = inA(() => readable.getReader().closed.then(seen))
      laterInB(() => writable.close())
      return saw
    }),
    mendedRow(
      '`WritableStream` of A: `write`, written by B',
      'B',
      wrap,
      (wrapped) =>
        told((tell) => {
          const target = inA(() => new WritableStream({ write: wrapped(tell) }))
          laterInB(() => target.getWriter().write('chunk'))
        }),
      { why: SINK },
    ),
    mendedRow('`WritableStream` of A: `close` by B', 'B', wrap, (wrapped) =>
      told((tell) => {
        const target = inA(() => new WritableStream({ close: wrapped(tell) }))
        laterInB(() => target.close())
      }),
    ),
    mendedRow('`TransformStream` of A: `transform`, written by B', 'B', wrap, (wrapped) =>
      told((tell) => {
        const { writable, readable } = inA(() => new TransformStream({ transform: wrapped(tell) }))
        laterInB(() => writable.getWriter().write('chunk'))
        void readable.getReader().read()
      }),
    ),
    mendedRow('`pipeTo` of A: `write` of the sink, enqueued by B', 'A', wrap, (wrapped) =>
      told((tell) => {
        const { promise, resolve } = Promise.withResolvers<ReadableStreamDefaultController>()
        const source = new ReadableStream({ start: resolve })
        void inA(() => source.pipeTo(new WritableStream({ write: wrapped(tell) })))
        laterInB(async () => (await promise).enqueue('chunk'))
      }),
    ),
    mendedRow(
      '`pipeTo` of A: `write` of the sink, written by B to a `TransformStream`',
      'A',
      wrap,
      (wrapped) =>
        told((tell) => {
          const { readable, writable } = new TransformStream()
          void inA(() => readable.pipeTo(new WritableStream({ write: wrapped(tell) })))
          laterInB(() => writable.getWriter().write('chunk'))
        }),
    ),
    row('`await` of `pipeTo` by A, closed by B', 'A', () => {
      const { readable, writable } = new TransformStream()
      const saw = inA(() => readable.pipeTo(new WritableStream()).then(seen))
      laterInB(() => writable.close())
      return saw
    }),
    row('`CompressionStream` of A, written by B', 'A', () => {
      const { readable, writable } = new CompressionStream('gzip')
      const saw = inA(() => readable.getReader().read().then(seen))
      laterInB(() => writable.getWriter().write(new Uint8Array(1)))
      return saw
    }),
  ],
}
