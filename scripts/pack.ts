/**
 * Shows that what would be published works for somebody who has nothing of this repository: packs the
 * packages, installs the tarballs in a new project with plain npm, type-checks a program there and
 * runs it on Node.js and on Bun.
 *
 *     node scripts/pack.ts
 */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { CommandError, pnpm, run } from './pack/command.ts'
import { assertContents } from './pack/contents.ts'
import { runtimes } from './pack/runtimes.ts'

const root = resolve(import.meta.dirname, '..')
const packages = ['context', 'core', 'otel', 'hono'] as const
/** What the program needs besides, in the versions of this repository. */
const companions = ['@hono/node-server', '@opentelemetry/api', '@types/node', 'hono', 'typescript']
/** What the program prints when every caller got its own answer. */
const ANSWER = 'acme 2, globex 4, job 6'

// Ctrl-C ends the command that is going on; after it this removes the folder.
process.once('SIGINT', () => process.exit(130))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-pack-')))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const consumer = join(folder, 'consumer')

step('builds from nothing', () => {
  // What is left of a source that is gone would be packed, too.
  for (const output of globSync(['packages/*/dist', 'packages/*/*.tsbuildinfo'], { cwd: root })) {
    rmSync(join(root, output), { recursive: true })
  }
  pnpm(root, 'run', 'build')
})

step('pnpm -r publish --dry-run takes the four packages', () => {
  // Forced, since a version that is in the registry already would be passed over.
  const output = pnpm(root, '-r', 'publish', '--dry-run', '--no-git-checks', '--force')
  for (const name of packages) assert.match(output, new RegExp(`@heddle/${name}@`))
})

const tarballs = step('pnpm pack', () => {
  pnpm(root, '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder)
  return new Map(packages.map((name) => [name, tarballOf(name)]))
})

for (const [name, tarball] of tarballs) {
  step(`publint @heddle/${name}`, () => {
    run(root, join(root, 'node_modules/.bin/publint'), 'run', tarball, '--strict')
  })
}

step('npm install in a new project', () => {
  mkdirSync(consumer)
  const own = Object.fromEntries(
    [...tarballs].map(([name, tarball]) => [`@heddle/${name}`, `file:${tarball}`]),
  )
  const foreign = Object.fromEntries(companions.map((name) => [name, installedVersionOf(name)]))
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { ...own, ...foreign },
    // The packages depend on each other by version; here those are the tarballs as well.
    overrides: own,
  }
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest, undefined, 2))
  run(consumer, 'npm', 'install', '--no-audit', '--no-fund')
  const copies = globSync('**/node_modules/@heddle/*', { cwd: consumer })
  assert.equal(copies.length, packages.length, `copies of packages: ${copies.join(', ')}`)
})

for (const name of packages) {
  step(`@heddle/${name} has all its files, and no others`, () => {
    const installed = join(consumer, 'node_modules/@heddle', name)
    return `${assertContents(installed, join(root, 'packages', name))} files`
  })
}

copyFileSync(join(root, 'scripts/pack/program.ts'), join(consumer, 'program.ts'))
step('tsc --strict --module nodenext', () => {
  compile('--module', 'nodenext', '--outDir', 'out')
})
step('tsc --strict --moduleResolution bundler', () => {
  compile('--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit')
})

for (const { name, command, isSupported } of runtimes(root)) {
  step(`runs on ${name}`, () => {
    if (!isSupported) return 'left out: older than the packages support'
    const program = name.startsWith('Bun') ? 'program.ts' : 'out/program.js'
    assert.equal(run(consumer, command, program).trim(), ANSWER)
    return undefined
  })
}

/** Does one thing and prints a line about it. */
function step<R>(name: string, work: () => R): R {
  const start = performance.now()
  try {
    const result = work()
    const note = typeof result === 'string' ? `, ${result}` : ''
    console.log(`ok      ${name} (${((performance.now() - start) / 1e3).toFixed(1)} s${note})`)
    return result
  } catch (error) {
    return fail(name, error)
  }
}

/** The steps build on each other, so the first that fails is the last. */
function fail(name: string, error: unknown): never {
  console.log(`FAILED  ${name}`)
  console.error(error instanceof CommandError ? error.message : error)
  return process.exit(1)
}

function tarballOf(name: string): string {
  const path = join(folder, `heddle-${name}-${versionIn(join(root, 'packages', name))}.tgz`)
  assert.ok(existsSync(path), `${path} was not packed`)
  return path
}

/** `skipLibCheck` is off: the declarations of the packages are what is tested here. */
function compile(...options: readonly string[]): void {
  const common = ['--strict', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false']
  const tsc = join(consumer, 'node_modules/typescript/bin/tsc')
  run(consumer, process.execPath, tsc, ...common, ...options, 'program.ts')
}

function installedVersionOf(name: string): string {
  return versionIn(join(root, 'node_modules', name))
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { version: string })
    .version
}
