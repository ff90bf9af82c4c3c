/**
 * Shows that what would be published works for somebody who has nothing of this repository: packs the
 * packages, installs the tarballs in a new project with plain npm, type-checks a program there and
 * runs it on Node.js and on Bun.
 *
 *     node scripts/pack.ts
 */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

import { pnpm, run } from './pack/command.ts'
import { build, installConsumer, pack, packages, root, temporaryFolder } from './pack/consumer.ts'
import { assertContents } from './pack/contents.ts'
import { runtimes } from './pack/runtimes.ts'
import { step } from './pack/step.ts'

/** What the program needs besides, in the versions of this repository. */
const companions = ['@hono/node-server', '@opentelemetry/api', '@types/node', 'hono', 'typescript']
/** What the program prints when every caller got its own answer. */
const ANSWER = 'acme 2, globex 4, job 6'

const folder = temporaryFolder()
const consumer = join(folder, 'consumer')

step('builds from nothing', build)

step('pnpm -r publish --dry-run takes the four packages', () => {
  // Forced, since a version that is in the registry already would be passed over.
  const output = pnpm(root, '-r', 'publish', '--dry-run', '--no-git-checks', '--force')
  for (const name of packages) assert.match(output, new RegExp(`@heddle/${name}@`))
})

const tarballs = step('pnpm pack', () => pack(folder))

for (const [name, tarball] of tarballs) {
  step(`publint @heddle/${name}`, () => {
    run(root, join(root, 'node_modules/.bin/publint'), 'run', tarball, '--strict')
  })
}

step('npm install in a new project', () => installConsumer(consumer, tarballs, companions))

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

/** `skipLibCheck` is off: the declarations of the packages are what is tested here. */
function compile(...options: readonly string[]): void {
  const common = ['--strict', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false']
  const tsc = join(consumer, 'node_modules/typescript/bin/tsc')
  run(consumer, process.execPath, tsc, ...common, ...options, 'program.ts')
}
