/**
 * Shows that the types of the packages, as they would be published, hold in somebody else's project with
 * each TypeScript that users have: packs the packages, installs them beside validators and Hono with
 * plain npm, and compiles the cases of test/types there, and those that must not compile.
 *
 *     node scripts/types.ts
 */
import assert from 'node:assert/strict'
import { copyFileSync, globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError, run } from './pack/command.ts'
import { build, installConsumer, pack, root, temporaryFolder } from './pack/consumer.ts'
import { step } from './pack/step.ts'

/** What the cases import besides. */
const companions = [
  '@hono/standard-validator',
  '@hono/zod-validator',
  '@opentelemetry/api',
  '@types/node',
  'expect-type',
  'hono',
  'hono-openapi',
  'typescript',
  'valibot',
  'zod',
]
const older = {
  'typescript-5.9': 'npm:typescript@5.9.3',
  'typescript-6': 'npm:typescript@6.0.3',
}
/** A case that does not hold; it shows that one would be noticed. */
const WRONG = `import { heddle } from '@heddle/hono'
import { expectTypeOf } from 'expect-type'
import { Hono } from 'hono'
new Hono().use(heddle()).get('/', (c) => {
  expectTypeOf(c.var.requestId).toEqualTypeOf<number>()
  return c.text('')
})
`

const folder = temporaryFolder()
const consumer = join(folder, 'consumer')

step('builds from nothing', build)
const tarballs = step('pnpm pack', () => pack(folder))
step('npm install in a new project', () => {
  installConsumer(consumer, tarballs, companions, older)
})

const cases = globSync('*.ts', { cwd: join(root, 'test/types') })
assert.ok(cases.length > 0)
for (const name of cases) copyFileSync(join(root, 'test/types', name), join(consumer, name))
writeFileSync(join(consumer, 'wrong.ts'), WRONG)

for (const compiler of ['typescript', ...Object.keys(older)]) {
  const version = run(consumer, process.execPath, tscOf(compiler), '--version').trim()
  for (const options of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    step(`${version} ${options.at(-1)}: ${cases.length} files of cases`, () =>
      compile(compiler, options, cases),
    )
  }
  step(`${version} notices a case that does not hold`, () => {
    assert.throws(
      () => compile(compiler, ['--module', 'nodenext'], ['wrong.ts']),
      (error) => error instanceof CommandError && /^wrong\.ts\(5,/m.test(error.message),
    )
  })
}

/** `skipLibCheck` is off: the declarations of the packages are what is tested here. */
function compile(compiler: string, options: readonly string[], files: readonly string[]): void {
  const common = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--target', 'es2024']
  const library = ['--types', 'node', '--skipLibCheck', 'false']
  run(consumer, process.execPath, tscOf(compiler), ...common, ...library, ...options, ...files)
}

function tscOf(compiler: string): string {
  return join(consumer, 'node_modules', compiler, 'bin/tsc')
}
