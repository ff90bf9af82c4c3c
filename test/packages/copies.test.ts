/**
 * A process may hold two copies of these packages: two versions, or ESM beside CJS. They share what
 * must be one in the process (R3).
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

import * as context from '@heddle/context'
import * as core from '@heddle/core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
let other: { readonly context: typeof context; readonly core: typeof core }

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-copies-')))
  const packages = resolve(import.meta.dirname, '../../packages')
  for (const name of ['context', 'core']) {
    cpSync(join(packages, name), join(folder, name), {
      recursive: true,
      // The copy of core finds the copy of context, by a link like the one that pnpm made.
      verbatimSymlinks: true,
      // It extends a file that is not copied.
      filter: (source) => basename(source) !== 'tsconfig.json',
    })
  }
  const load = (name: string): Promise<any> =>
    import(pathToFileURL(join(folder, name, 'src/index.ts')).href)
  other = { context: await load('context'), core: await load('core') }
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('an ESM copy beside one that was bundled as CJS', () => {
  it('shares scopes, keys and neutral ground with it', async () => {
    await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: join(folder, 'bundle'),
        lib: {
          entry: resolve(import.meta.dirname, '../../packages/context/src/index.ts'),
          formats: ['cjs'],
          fileName: () => 'context.cjs',
        },
        rolldownOptions: { external: /^node:/ },
      },
    })
    const bundled: typeof context = createRequire(import.meta.url)(
      join(folder, 'bundle/context.cjs'),
    )
    expect(bundled.createKey).not.toBe(context.createKey)
    const key = bundled.createKey<string>('test.copies.bundled')
    context.runRequest({ id: 'r1', entries: [key.of('a')] }, (scope) => {
      expect(bundled.current()).toBe(scope)
      expect(key.get()).toBe('a')
      expect(bundled.runNeutral(() => context.tryCurrent())).toBeUndefined()
      key.run('b', () => expect(context.current().get(key)).toBe('b'))
    })
  })
})

describe('an incompatible copy', () => {
  it('is reported, once it is loaded beside this one', async () => {
    const program = [
      "globalThis[Symbol.for('@heddle/context/versions')] = new Set(['v0'])",
      "process.on('warning', ({ code, message }) => console.log(code, message))",
      `await import(${JSON.stringify(pathToFileURL(join(folder, 'context/src/index.ts')).href)})`,
    ].join('\n')
    const file = join(folder, 'incompatible.mjs')
    writeFileSync(file, program)
    const { stdout } = await promisify(execFile)(process.execPath, [file])
    expect(stdout).toContain('INCOMPATIBLE_COPIES')
    expect(stdout).toContain('v0, v1')
  })
})

describe('two copies of the packages', () => {
  it('are two', () => {
    expect(other.context.createKey).not.toBe(context.createKey)
    expect(other.core.createBatcher).not.toBe(core.createBatcher)
  })

  it('see the same scope, and each other’s keys in it', () => {
    const ours = context.createKey<string>('test.copies.ours')
    const theirs = other.context.createKey<string>('test.copies.theirs')
    const seen = context.runRequest({ id: 'r1', entries: [ours.of('a'), theirs.of('b')] }, () => [
      other.context.current().id,
      other.context.current().get(ours),
      context.current().get(theirs),
    ])
    expect(seen).toEqual(['r1', 'a', 'b'])
  })

  it('keep callers apart when the batcher is of one and the request of the other', async () => {
    const tenant = context.createKey<string>('test.copies.tenant')
    const shown: unknown[] = []
    await using batcher = other.core.createBatcher({
      name: 'other',
      run: (inputs: readonly string[], batch) => {
        shown.push(tenant.get(), context.tryCurrent()?.kind)
        return batch.items.map((item) => item.get(tenant) ?? 'none')
      },
    })
    const answers = await Promise.all(
      ['acme', 'evil'].map((name) =>
        tenant.run(name, async () => [await batcher.submit(name), tenant.get()]),
      ),
    )
    expect(answers).toEqual([
      ['acme', 'acme'],
      ['evil', 'evil'],
    ])
    expect(shown).toEqual([undefined, 'batch'])
  })

  it('know a store that one of them adopted, in batches of the other', async () => {
    const store = new AsyncLocalStorage<string>()
    const key = other.context.adopt(store, { name: 'test.copies.store', batch: 'partition' })
    await using batcher = core.createBatcher({
      name: 'adopted',
      run: async (inputs: readonly string[], batch) => {
        await Promise.resolve()
        return inputs.map((_, index) => [store.getStore(), batch.items[index]?.get(key)])
      },
    })
    const answers = await Promise.all(
      ['acme', 'evil'].map((name) => store.run(name, () => batcher.submit(name))),
    )
    expect(answers).toEqual([
      ['acme', 'acme'],
      ['evil', 'evil'],
    ])
    expect(() => context.adopt(store, { name: 'test.copies.again', batch: 'same' })).toThrow(
      'is adopted as `test.copies.store` already',
    )
  })

  it('guard the stores of the app once, whichever of them made the batcher', async () => {
    const store = new AsyncLocalStorage<string>()
    const run = (inputs: readonly number[]): unknown[] => inputs.map(() => store.getStore())
    for (const { createBatcher } of [core, other.core]) {
      await using batcher = createBatcher({ name: 'guarded', run, strictStores: true })
      const error = await store.run('acme', () => batcher.submit(1)).catch((reason) => reason)
      expect(error).toMatchObject({ code: 'BATCH_FAILED', cause: { code: 'IN_BATCH' } })
    }
  })

  it('have the same instruments, and know each other’s errors', async () => {
    const batches: string[] = []
    using _ = core.instrument({
      aroundBatch: (batch, _members, next) => {
        batches.push(batch.id)
        return next()
      },
    })
    const batcher = other.core.createBatcher<number, number>({ name: 'copied', run: () => [] })
    const error = await batcher.submit(1).catch((reason: unknown) => reason)
    expect(batches).toEqual(['copied#1'])
    expect(error).toBeInstanceOf(core.BatcherError)
    expect(error).toMatchObject({ code: 'RESULT_MISMATCH' })
  })
})
