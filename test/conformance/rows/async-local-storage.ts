/*
 * What node:async_hooks does by itself. The package keeps to `run`, `getStore` and `AsyncResource`
 * (R2); the rows of the rest say why.
 */
// oxlint-disable no-restricted-properties -- these rows show what the forbidden functions do
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import { runNeutral, Snapshot } from '@heddle/context'

import { type Mend, neutral, wrap } from '../mends.ts'
import { inA, inB, inContextOf, seen, sleep, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const platform = new AsyncLocalStorage<string>()
const second = new AsyncLocalStorage<string>()
const emptied = AsyncLocalStorage.snapshot()

const read = (): string => platform.getStore() ?? '∅'

/** A stays there unless something leaks: in the storage, or in a key of ours. */
const bothInA = <R>(fn: () => R): R => platform.run('A', () => inA(fn))
const readBoth = (): string => (read() === 'A' ? seen() : read())

/** Gives the rest of a function another value. */
type Enter = (rest: () => unknown) => unknown

const entering: Mend<Enter> = {
  name: 'key.run',
  gives: 'A',
  without(rest) {
    platform.enterWith('leak')
    return rest()
  },
  by: (rest) => inContextOf('leak', rest),
}

const scoping: Mend<Enter> = {
  ...entering,
  without(rest) {
    const storage = platform as unknown as { withScope(value: string): Disposable }
    storage.withScope('leak')
    return rest()
  },
}

async function setsBeforeAwait(enter: Enter): Promise<void> {
  await enter(() => sleep(1))
}

async function setsAfterAwait(enter: Enter): Promise<void> {
  await sleep(1)
  await enter(() => sleep(1))
}

const exiting: Mend<<R>(fn: () => R) => R> = {
  ...neutral,
  without: (fn) => platform.exit(fn),
}

const issues = ['nodejs/node#45848', 'nodejs/node#36683']

export const asyncLocalStorage: Group = {
  title: '`AsyncLocalStorage` and `AsyncResource`',
  rows: [
    mendedRow(
      'caller of an async function that calls `enterWith` before its first `await`',
      'A',
      entering,
      async (enter) =>
        bothInA(() => {
          void setsBeforeAwait(enter)
          return readBoth()
        }),
      { issues, why: 'What a function sets for itself must not reach its caller.' },
    ),
    mendedRow(
      'the same caller, after it has awaited the function',
      'A',
      entering,
      (enter) =>
        bothInA(async () => {
          await setsBeforeAwait(enter)
          return readBoth()
        }),
      { issues },
    ),
    row('caller of an async function that calls `enterWith` after an `await`', 'A', () =>
      bothInA(async () => {
        await setsAfterAwait(entering.without)
        return readBoth()
      }),
    ),
    mendedRow(
      'caller of an async function that calls `withScope` before its first `await`',
      'A',
      scoping,
      async (enter) => {
        if (!('withScope' in platform)) return 'n/a'
        return bothInA(() => {
          void setsBeforeAwait(enter)
          return readBoth()
        })
      },
      { issues: ['nodejs/node#61674'], why: "As with `enterWith`; Node's documentation warns." },
    ),
    mendedRow(
      '`run` with the value that is there already: after an `enterWith` inside it',
      'A',
      entering,
      async (enter) =>
        bothInA(() => {
          platform.run('A', () => enter(() => {}))
          return readBoth()
        }),
      { issues, why: '`run` takes a short cut for an equal value, and then restores nothing.' },
    ),
    mendedRow(
      "after `run`, when another storage's `enterWith` was called inside it",
      '∅',
      neutral,
      async (ground) =>
        // In a frame of its own, so that it cannot reach other rows.
        runNeutral(() => {
          ground(() => second.run('B', () => platform.enterWith('leak')))
          return read()
        }),
      { issues, why: '`run` restores its own storage alone.' },
    ),
    row('after `run`, when its function has thrown', '∅', async () => {
      try {
        platform.run('A', () => {
          throw new Error('A')
        })
      } catch {}
      return read()
    }),
    mendedRow(
      'timer inside `exit`',
      '∅',
      exiting,
      (exit) => platform.run('A', () => exit(() => sleep(1).then(read))),
      {
        issues: ['denoland/deno#36464'],
        why: 'The fix is merged, and does not work in the release that is tested here.',
      },
    ),
    row('timer inside `run(undefined)`', '∅', () =>
      platform.run('A', () =>
        (platform as AsyncLocalStorage<unknown>).run(undefined, () => sleep(1).then(read)),
      ),
    ),
    row(
      '`run(undefined)` of a storage with `defaultValue`',
      '∅',
      async () => {
        const storage = new AsyncLocalStorage<string | undefined>({ defaultValue: 'default' })
        if (storage.getStore() === undefined) return 'n/a'
        return storage.run(undefined, () => storage.getStore() ?? '∅')
      },
      {
        issues: ['denoland/deno#36464'],
        unmended: 'R2 forbids the option. The default of a key is kept by the key itself.',
      },
    ),
    row('a second storage, while the first has another value', 'B', async () =>
      second.run('B', () => platform.run('A', () => second.getStore() ?? '∅')),
    ),
    row('`AsyncLocalStorage.bind`, called by B', 'A', async () =>
      inB(inA(() => AsyncLocalStorage.bind(seen))),
    ),
    mendedRow(
      '`this` in a function from `AsyncLocalStorage.bind`',
      'kept',
      { ...wrap, gives: 'kept', without: (fn) => AsyncLocalStorage.bind(fn) },
      async (bind) => {
        const owner = {
          method: bind(function (this: unknown) {
            return this === owner ? 'kept' : 'lost'
          }),
        }
        return owner.method()
      },
      { issues: ['oven-sh/bun#36114'] },
    ),
    mendedRow(
      '`length` of a function from `AsyncLocalStorage.bind`',
      'kept',
      { ...wrap, gives: 'kept', without: (fn) => AsyncLocalStorage.bind(fn) },
      async (bind) => (bind((_one: 1, _two: 2) => {}).length === 2 ? 'kept' : 'lost'),
      { issues: ['oven-sh/bun#36114'] },
    ),
    row('`AsyncLocalStorage.snapshot`, called by B', 'A', async () => {
      const enter = inA(() => AsyncLocalStorage.snapshot())
      return inB(() => enter(seen))
    }),
    row('`AsyncLocalStorage.snapshot`, after an `await` inside', 'A', () => {
      const enter = inA(() => AsyncLocalStorage.snapshot())
      return inB(() => enter(() => sleep(1).then(seen)))
    }),
    row('caller of a snapshot, afterwards', 'B', async () => {
      const enter = inA(() => AsyncLocalStorage.snapshot())
      return inB(() => {
        enter(seen)
        return seen()
      })
    }),
    row('a snapshot from start-up: all storages at once', '∅', async () =>
      inA(() => platform.run('A', () => emptied(() => (read() === '∅' ? seen() : read())))),
    ),
    row('`AsyncResource.bind`, called by B', 'A', async () =>
      inB(inA(() => AsyncResource.bind(seen))),
    ),
    row('`runInAsyncScope` of an `AsyncResource`, called by B', 'A', async () => {
      const resource = inA(() => new AsyncResource('Conformance'))
      return inB(() => resource.runInAsyncScope(seen))
    }),
    row('`Snapshot.run`, called by B', 'A', async () => {
      const snapshot = inA(() => Snapshot.capture())
      return inB(() => snapshot.run(seen))
    }),
    row('`Snapshot.run`, in a timer inside', 'A', () => {
      const snapshot = inA(() => Snapshot.capture())
      return told((tell) => inB(() => snapshot.run(() => setTimeout(tell, 1))))
    }),
  ],
}
