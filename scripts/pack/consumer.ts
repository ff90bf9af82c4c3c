import assert from 'node:assert/strict'
import {
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

import { pnpm, run } from './command.ts'

export const root: string = resolve(import.meta.dirname, '../..')
export const packages: readonly string[] = ['context', 'core', 'otel', 'hono']

/** Tarballs by the names of their packages. */
export type Tarballs = ReadonlyMap<string, string>

/** A folder for one run of a script, which is gone when the script ends. */
export function temporaryFolder(): string {
  // Ctrl-C ends the command that is going on; after it this removes the folder.
  process.once('SIGINT', () => process.exit(130))
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-pack-')))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function build(): void {
  // What is left of a source that is gone would be packed, too.
  for (const output of globSync(['packages/*/dist', 'packages/*/*.tsbuildinfo'], { cwd: root })) {
    rmSync(join(root, output), { recursive: true })
  }
  pnpm(root, 'run', 'build')
}

/** Packs every package, built before, into `folder`. */
export function pack(folder: string): Tarballs {
  pnpm(root, '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder)
  return new Map(
    packages.map((name) => {
      const version = versionIn(join(root, 'packages', name))
      const path = join(folder, `heddle-${name}-${version}.tgz`)
      assert.ok(existsSync(path), `${path} was not packed`)
      return [name, path]
    }),
  )
}

/**
 * Makes a project that has the tarballs and these other packages, by plain npm.
 *
 * @param others - names, in the versions of this repository
 * @param aliases - what they are, by the names that the project has for them
 */
export function installConsumer(
  consumer: string,
  tarballs: Tarballs,
  others: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): void {
  mkdirSync(consumer)
  const own = Object.fromEntries(
    [...tarballs].map(([name, tarball]) => [`@heddle/${name}`, `file:${tarball}`]),
  )
  const foreign = Object.fromEntries(
    others.map((name) => [name, versionIn(join(root, 'node_modules', name))]),
  )
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { ...own, ...foreign, ...aliases },
    // The packages depend on each other by version; here those are the tarballs as well.
    overrides: own,
  }
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest, undefined, 2))
  run(consumer, 'npm', 'install', '--no-audit', '--no-fund')
  const copies = globSync('**/node_modules/@heddle/*', { cwd: consumer })
  assert.equal(copies.length, packages.length, `copies of packages: ${copies.join(', ')}`)
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { version: string })
    .version
}
