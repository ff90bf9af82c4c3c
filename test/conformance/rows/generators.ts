/// <reference lib="esnext.array" />
/// <reference lib="esnext.iterator" />
import { iterable, wrap } from '../mends.ts'
import { inA, inB, resolvedByB, seen } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const CREATOR =
  'The contract is that of the TC39 proposal, where a generator keeps the context it was made in. All runtimes today give it the context of each `next()`.'
const issues = ['nodejs/node#42237', 'nodejs/node#52317', 'tc39/proposal-async-context#18']

async function* generate(): AsyncGenerator<string> {
  yield seen()
  yield seen()
  await resolvedByB()
  yield seen()
}

/** The value of the call `count` times of `next()`, by B, of an iterable that A made. */
async function nextOfB(source: AsyncIterable<string>, count: number): Promise<string> {
  const iterator = source[Symbol.asyncIterator]()
  let value = ''
  for (let call = 0; call < count; call += 1) {
    ;({ value } = await inB(() => iterator.next()))
  }
  await iterator.return?.()
  return value
}

export const generators: Group = {
  title: 'Generators and iterators',
  rows: [
    mendedRow(
      'async generator of A: body, first `next()` by B',
      'A',
      iterable,
      (bound) =>
        nextOfB(
          inA(() => bound(generate())),
          1,
        ),
      { issues, why: CREATOR },
    ),
    mendedRow(
      'async generator of A: body after `yield`, `next()` by B',
      'A',
      iterable,
      (bound) =>
        nextOfB(
          inA(() => bound(generate())),
          2,
        ),
      { issues },
    ),
    mendedRow(
      'async generator of A: body after an `await`, `next()` by B',
      'A',
      iterable,
      (bound) =>
        nextOfB(
          inA(() => bound(generate())),
          3,
        ),
      { issues },
    ),
    mendedRow(
      'async generator of A: `finally` on `return()` by B',
      'A',
      iterable,
      async (bound) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        async function* cleaning(): AsyncGenerator<number> {
          try {
            yield 1
          } finally {
            resolve(seen())
          }
        }
        const iterator = inA(() => bound(cleaning()))[Symbol.asyncIterator]()
        await inB(() => iterator.next())
        await inB(() => iterator.return?.())
        return promise
      },
      { issues },
    ),
    mendedRow(
      'async generator of A: `catch` on `throw()` by B',
      'A',
      iterable,
      async (bound) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        async function* catching(): AsyncGenerator<number> {
          try {
            yield 1
          } catch {
            resolve(seen())
          }
        }
        const iterator = inA(() => bound(catching()))[Symbol.asyncIterator]()
        await inB(() => iterator.next())
        await inB(() => iterator.throw?.(new Error('B')))
        return promise
      },
      { issues },
    ),
    mendedRow(
      'async generator of A behind `yield*` of B',
      'A',
      iterable,
      (bound) => {
        const inner = inA(() => bound(generate()))
        async function* outer(): AsyncGenerator<string> {
          yield* inner
        }
        return nextOfB(inB(outer), 3)
      },
      { issues },
    ),
    row('`for await` body of B over a generator of A', 'B', () => {
      const source = inA(generate)
      return inB(async () => {
        for await (const _ of source) return seen()
        return 'none'
      })
    }),
    row('after the `for await` loop of B over a generator of A', 'B', () => {
      const source = inA(generate)
      return inB(async () => {
        for await (const _ of source);
        return seen()
      })
    }),
    mendedRow(
      'generator of A: body, `next()` by B',
      'A',
      wrap,
      async (wrapped) => {
        function* generateNow(): Generator<string> {
          yield seen()
        }
        const next = inA(() => {
          const generator = generateNow()
          return wrapped(() => generator.next())
        })
        return String(inB(next).value)
      },
      { issues: ['nodejs/node#52317', 'tc39/proposal-async-context#18'] },
    ),
    mendedRow(
      '`Iterator.prototype.map` of A: mapper, `next()` by B',
      'A',
      wrap,
      async (wrapped) => {
        const mapped = inA(() => [1].values().map(wrapped(seen)))
        return inB(() => String(mapped.next().value))
      },
      { why: 'An iterator helper is lazy, as a generator is.' },
    ),
    mendedRow('`Array.fromAsync` mapper', 'A', wrap, (wrapped) =>
      inA(async () => {
        const mapped = await Array.fromAsync([resolvedByB()], wrapped(seen))
        return String(mapped[0])
      }),
    ),
    row('`Array.fromAsync`, after its `await`', 'A', () =>
      inA(async () => {
        await Array.fromAsync([resolvedByB()])
        return seen()
      }),
    ),
  ],
}
