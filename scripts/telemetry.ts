/**
 * Shows that telemetry works with what others have installed: SDK 2 with API 1.9, on Node and on Bun, and
 * SDK 3 beside `auto-instrumentations-node` and `@hono/otel`. Each is a new project with the packed packages.
 *
 *     node scripts/telemetry.ts
 */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

import { run } from './pack/command.ts'
import { build, installConsumer, pack, root, temporaryFolder } from './pack/consumer.ts'
import { runtimes } from './pack/runtimes.ts'
import { step } from './pack/step.ts'

const SDK_2 = {
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/context-async-hooks': '2.12.1',
  '@opentelemetry/sdk-metrics': '2.12.1',
  '@opentelemetry/sdk-trace-base': '2.12.1',
}
const SDK_3 = {
  '@opentelemetry/auto-instrumentations-node': '0.82.0',
}
const SERVER = ['@hono/node-server', '@hono/otel', '@opentelemetry/api', '@opentelemetry/core']

const folder = temporaryFolder()
step('builds from nothing', build)
const tarballs = step('pnpm pack', () => pack(folder))

const two = project('sdk2', ['sdk2.mjs'], ['hono'], SDK_2)
for (const { name, command, isSupported } of runtimes(root)) {
  if (isSupported) step(`SDK 2 with API 1.9 on ${name}`, () => says('ok', two, command, 'sdk2.mjs'))
}

const others = [...SERVER, '@opentelemetry/sdk-node', '@opentelemetry/sdk-trace', 'hono']
const three = project('sdk3', ['register.mjs', 'server.mjs'], others, SDK_3)
for (const beside of ['auto-instrumentations-node', 'hono-otel']) {
  step(`one server span beside ${beside}`, () =>
    says('ok', three, process.execPath, '--import', './register.mjs', 'server.mjs', beside),
  )
}

/** A new project with these programs. */
function project(
  name: string,
  programs: readonly string[],
  own: readonly string[],
  aliases: Readonly<Record<string, string>>,
): string {
  const path = join(folder, name)
  step(`npm install for ${name}`, () => installConsumer(path, tarballs, own, aliases))
  for (const program of programs) {
    copyFileSync(join(root, 'scripts/telemetry', program), join(path, program))
  }
  return path
}

function says(text: string, path: string, command: string, ...options: readonly string[]): void {
  assert.equal(
    run(path, command, ...options)
      .trim()
      .split('\n')
      .at(-1),
    text,
  )
}
