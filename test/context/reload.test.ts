/** Development servers evaluate a module again, in the process in which it has been evaluated before. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { createKey, runRequest, toCarrier } from '@heddle/context'
import { createServer, createServerModuleRunner, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { sleep } from '../support/crank.ts'
import { collect } from '../support/gc.ts'

const fixtures = join(import.meta.dirname, 'reload')
const EVALUATIONS = 5

/** What `report()` gives in the `n`th evaluation. */
function expected(n: number): object {
  return {
    evaluations: n,
    carried: `new of ${n}`,
    setByOldest: ['old', 'old', ['test.reload.tenant']],
    setByNewest: 'new',
  }
}

/** Another version of the module, in which everything stands in other lines. */
function edited(source: string, version: number): string {
  return '\n'.repeat(version) + source.replace('VERSION = 1', `VERSION = ${version}`)
}

describe('the module runner of Vite', () => {
  let server: ViteDevServer
  let version = 1
  beforeAll(async () => {
    server = await createServer({
      root: fixtures,
      configFile: false,
      appType: 'custom',
      logLevel: 'silent',
      server: { middlewareMode: true, watch: null, ws: false },
      optimizeDeps: { noDiscovery: true },
      plugins: [
        {
          name: 'edit',
          enforce: 'pre',
          transform: (code, id) => (id.endsWith('keys.ts') ? edited(code, version) : undefined),
        },
      ],
    })
  })
  afterAll(() => server.close())

  it('evaluates a module with keys again', async () => {
    const { moduleGraph } = server.environments.ssr
    const runner = createServerModuleRunner(server.environments.ssr, { hmr: false })
    type Keys = typeof import('./reload/keys.ts')
    type Flags = typeof import('./reload/flags.ts')
    let keys: Keys | undefined
    let flags: Flags | undefined
    for (version = 1; version <= EVALUATIONS; version += 1) {
      moduleGraph.invalidateAll()
      runner.evaluatedModules.clear()
      keys = await runner.import<Keys>('/keys.ts')
      expect(keys.report()).toEqual(expected(version))
      flags = await runner.import<Flags>('/flags.ts')
    }
    // Nobody has the keys of former evaluations that no carrier knows.
    let merges = EVALUATIONS
    for (let round = 0; round < 40 && merges > 1; round += 1) {
      await sleep(1)
      collect()
      merges = flags?.mergesOfBatch() ?? 0
    }
    expect(merges).toBe(1)

    await expect(runner.import('/duplicate.ts')).rejects.toMatchObject({
      code: 'DUPLICATE_KEY',
      message: expect.stringMatching(/keys\.ts:\d+:\d+, one in .*duplicate\.ts:\d+:\d+/),
    })
    // The one that was there still counts.
    expect(keys?.report()).toEqual(expected(EVALUATIONS))
    await runner.close()
  })
})

describe('`bun --hot`', () => {
  // In the repository, so that the packages are found.
  const folder = mkdtempSync(join(import.meta.dirname, '.hot-'))
  let bun: ChildProcess | undefined
  afterAll(async () => {
    bun?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it('evaluates a module with keys again', async () => {
    cpSync(fixtures, folder, { recursive: true })
    const source = readFileSync(join(folder, 'keys.ts'), 'utf8')
    const executable = join(
      createRequire(import.meta.url).resolve('bun/package.json'),
      '../bin/bun.exe',
    )
    bun = spawn(executable, ['--hot', 'hot.ts'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let version = 1
    for await (const line of createInterface({ input: bun.stdout! })) {
      expect(JSON.parse(line)).toEqual(expected(version))
      if (version === EVALUATIONS) break
      version += 1
      // In one step, so that no half of it is evaluated.
      writeFileSync(join(folder, 'edited'), edited(source, version))
      renameSync(join(folder, 'edited'), join(folder, 'keys.ts'))
    }
    expect(version).toBe(EVALUATIONS)
  })
})

describe('two keys of one name with `carry`', () => {
  const carry = { encode: (value: string) => value, decode: (value: string) => value }

  it('are an error in one evaluation of a module', () => {
    createKey('test.reload.twice', { carry })
    expect(() => createKey('test.reload.twice', { carry })).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_KEY' }),
    )
  })

  it('are an error in two modules, and each says where', async () => {
    createKey('test.reload.elsewhere', { carry })
    await expect(import('./reload/elsewhere.ts')).rejects.toMatchObject({
      code: 'DUPLICATE_KEY',
      message: expect.stringMatching(/reload\.test\.ts:\d+:\d+, one in .*elsewhere\.ts:\d+:\d+/),
    })
  })

  it('are one where it cannot be told that they are two', async () => {
    const create = (): ReturnType<typeof createKey<string>> =>
      createKey<string>('test.reload.again', { carry, batch: 'partition' })
    const first = create()
    await Promise.resolve()
    const second = create()
    runRequest({ entries: [first.of('value')] }, () => {
      expect(second.get()).toBe('value')
      expect(toCarrier().entries).toEqual([['test.reload.again', 'value']])
    })
  })

  it('are one, with a warning, where their module imports its functions', async () => {
    const warnings: Error[] = []
    const listener = (warning: Error): void => void warnings.push(warning)
    process.on('warning', listener)
    createKey('test.reload.moved', { carry })
    await Promise.resolve()
    createKey('test.reload.moved', { carry })
    await sleep(0)
    process.off('warning', listener)
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('`test.reload.moved`'),
    ])
  })
})

it('a key without `carry` is known by itself alone, wherever it is created', () => {
  const create = (): ReturnType<typeof createKey<string>> => createKey<string>('test.reload.local')
  const [first, second] = [create(), create()]
  runRequest({ entries: [first.of('first')] }, () => {
    expect([first.get(), second.get()]).toEqual(['first', undefined])
  })
})

it('a key without `carry` that nobody has any more is forgotten', async () => {
  // Where copies of the package find each other's keys.
  const symbol = Symbol.for('@heddle/context/registry/v1')
  const { sharedKeys, droppedKeys } = (globalThis as unknown as Record<symbol, Lists>)[symbol]!
  const counts = (): number[] => [sharedKeys.length, droppedKeys.length]
  const before = counts()
  for (let n = 0; n < 10; n += 1) {
    createKey<string>('test.reload.dropped', { batch: 'partition', child: 'drop' })
  }
  expect(counts()).toEqual(before.map((count) => count + 10))
  const isForgotten = (): boolean => counts().every((count, index) => count <= before[index]! + 1)
  for (let round = 0; round < 40 && !isForgotten(); round += 1) {
    await sleep(1)
    collect()
  }
  // JavaScriptCore may keep the last one on its stack.
  expect(isForgotten()).toBe(true)
})

interface Lists {
  readonly sharedKeys: readonly object[]
  readonly droppedKeys: readonly object[]
}
