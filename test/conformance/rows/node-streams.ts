import { createInterface } from 'node:readline'
import { finished, pipeline, Readable, Transform, Writable } from 'node:stream'
import { finished as finishedPromise, pipeline as pipelinePromise } from 'node:stream/promises'

import { iterable, listener, wrap } from '../mends.ts'
import { inA, inB, laterInB, seen, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const SOURCE =
  'The code of a source belongs to whoever made it: who asks for more is often the runtime itself.'
const READER =
  'Unlike an event of an emitter of one’s own, it comes when there is something to read, and not because somebody has called: it is for whoever listens.'
const SINK = 'A sink is called by a write, which is a call like any other.'

/** Has a chunk when somebody pushes one, and not before. */
function waiting(): Readable {
  return new Readable({ read() {} })
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) })
}

async function* generate(note: (seen: string) => void): AsyncGenerator<string> {
  note(seen())
  yield 'chunk'
}

export const nodeStreams: Group = {
  title: '`node:stream`',
  rows: [
    mendedRow(
      '`Readable` of A: `read`, consumed by B',
      'A',
      wrap,
      (wrapped) =>
        told((tell) => {
          const stream = inA(
            () =>
              new Readable({
                read: wrapped(function (this: Readable) {
                  this.push(null)
                  tell()
                }),
              }),
          )
          laterInB(() => stream.resume())
        }),
      { why: SOURCE },
    ),
    mendedRow(
      '`Readable.from` of A: generator body, consumed by B',
      'A',
      iterable,
      (bound) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const stream = inA(() => Readable.from(bound(generate(resolve))))
        laterInB(() => stream.resume())
        return promise
      },
      { issues: ['nodejs/node#42237'] },
    ),
    mendedRow('`Readable.map` of A: mapper, consumed by B', 'A', wrap, (wrapped) =>
      told((tell) => {
        const mapped = inA(() => Readable.from(['chunk']).map(wrapped(tell)))
        laterInB(() => mapped.toArray())
      }),
    ),
    mendedRow(
      '`Readable`: `data` listener of A, pushed by B',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const stream = waiting()
          inA(() => stream.once('data', wrapped(tell)))
          laterInB(() => stream.push('chunk'))
        }),
      { issues: ['nodejs/node#33723'], why: READER },
    ),
    mendedRow(
      '`Readable`: `end` listener of A, ended by B',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const stream = waiting()
          inA(() => stream.once('end', wrapped(tell)).resume())
          laterInB(() => stream.push(null))
        }),
      { issues: ['nodejs/node#33723'] },
    ),
    mendedRow(
      '`Readable`: `close` listener of A, destroyed by B',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const stream = waiting()
          inA(() => stream.once('close', wrapped(tell)))
          laterInB(() => stream.destroy())
        }),
      { issues: ['nodejs/node#33723'] },
    ),
    row('`Readable` in `for await` of A, pushed by B', 'A', () => {
      const stream = waiting()
      const saw = inA(async () => {
        for await (const _ of stream) return seen()
        return 'none'
      })
      laterInB(() => stream.push('chunk'))
      return saw
    }),
    mendedRow(
      '`Writable` of A: `write`, written by B',
      'B',
      wrap,
      (wrapped) =>
        told((tell) => {
          const write = (_chunk: unknown, _encoding: unknown, done: () => void): void => {
            tell()
            done()
          }
          const stream = inA(() => new Writable({ write: wrapped(write) }))
          laterInB(() => stream.write('chunk'))
        }),
      { why: SINK },
    ),
    mendedRow('`Transform` of A: `transform`, written by B', 'B', wrap, (wrapped) =>
      told((tell) => {
        const transform = (_chunk: unknown, _encoding: unknown, done: () => void): void => {
          tell()
          done()
        }
        const stream = inA(() => new Transform({ transform: wrapped(transform) }))
        laterInB(() => stream.write('chunk'))
      }),
    ),
    row('`write` callback of A', 'A', () =>
      told((tell) => inA(() => new Writable({ write: (_1, _2, done) => done() }).write('x', tell))),
    ),
    mendedRow(
      '`write` callback of A, after a `write` of B that is not done',
      'A',
      wrap,
      (wrapped) =>
        told((tell) => {
          const stream = sink()
          inB(() => stream.write('first'))
          inA(() => stream.write('second', wrapped(tell)))
        }),
    ),
    mendedRow(
      '`drain` listener of A, written by B',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const stream = sink()
          inA(() => stream.once('drain', wrapped(tell)))
          laterInB(() => stream.write(Buffer.alloc(1 << 17)))
        }),
      { issues: ['nodejs/node#33723'] },
    ),
    row(
      '`stream.finished` callback of A, ended by B',
      'A',
      () =>
        told((tell) => {
          const stream = waiting()
          inA(() => finished(stream.resume(), tell))
          laterInB(() => stream.push(null))
        }),
      { issues: ['nodejs/node#57844', 'oven-sh/bun#27428', 'denoland/deno#32327'] },
    ),
    row('`stream/promises`: `finished` of A, ended by B', 'A', () => {
      const stream = waiting()
      const saw = inA(() => finishedPromise(stream.resume()).then(seen))
      laterInB(() => stream.push(null))
      return saw
    }),
    row('`stream.pipeline` callback of A, ended by B', 'A', () =>
      told((tell) => {
        const stream = waiting()
        inA(() => pipeline(stream, sink(), tell))
        laterInB(() => stream.push(null))
      }),
    ),
    row('`stream/promises`: `pipeline` of A, ended by B', 'A', () => {
      const stream = waiting()
      const saw = inA(() => pipelinePromise(stream, sink()).then(seen))
      laterInB(() => stream.push(null))
      return saw
    }),
    mendedRow(
      '`readline`: `line` listener of A, pushed by B',
      'A',
      listener,
      (wrapped) =>
        told((tell) => {
          const input = waiting()
          inA(() => createInterface({ input }).once('line', wrapped(tell)))
          laterInB(() => input.push('line\n'))
        }),
      { issues: ['nodejs/node#33723'] },
    ),
    row('`readline` in `for await` of A, pushed by B', 'A', () => {
      const input = waiting()
      const saw = inA(async () => {
        for await (const _ of createInterface({ input })) return seen()
        return 'none'
      })
      laterInB(() => input.push('line\n'))
      return saw
    }),
  ],
}
