import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly exports: Readonly<Record<string, string>> }
  readonly [field: string]: unknown
}

/**
 * Checks an installed package against its source: everything that was built and nothing else, the
 * exports of `publishConfig`, no specifiers that only this workspace understands, maps that lead to
 * the sources.
 *
 * @returns how many files it has
 */
export function assertContents(installed: string, source: string): number {
  const sources = globSync('src/**/*.ts', { cwd: source }).map(withSlashes)
  const expected = ['package.json', 'LICENSE', 'README.md', ...sources, ...sources.flatMap(builtOf)]
  const files = filesIn(installed)
  assert.deepEqual(without(expected, files), [], 'files that are missing')
  assert.deepEqual(without(files, expected), [], 'files that do not belong there')
  assertManifest(manifestIn(installed), manifestIn(source), installed)
  for (const path of files.filter((file) => file.endsWith('.map'))) assertMap(join(installed, path))
  return files.length
}

function assertManifest(installed: Manifest, source: Manifest, folder: string): void {
  assert.deepEqual(installed.exports, source.publishConfig?.exports, 'exports')
  for (const path of Object.values(installed.exports)) {
    assert.ok(existsSync(join(folder, path)), `${path} is exported and missing`)
  }
  const text = JSON.stringify(installed)
  assert.doesNotMatch(text, /"(?:workspace|catalog):/, 'specifiers of the workspace')
}

function assertMap(path: string): void {
  const { sources } = JSON.parse(readFileSync(path, 'utf8')) as { sources: readonly string[] }
  for (const source of sources) {
    assert.ok(
      existsSync(resolve(path, '..', source)),
      `${path} leads to ${source}, which is missing`,
    )
  }
}

function without(paths: readonly string[], others: readonly string[]): string[] {
  return paths.filter((path) => !others.includes(path))
}

function builtOf(source: string): string[] {
  const stem = source.replace(/^src\//, 'dist/').replace(/\.ts$/, '')
  return ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((extension) => stem + extension)
}

function filesIn(folder: string): string[] {
  return globSync('**', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => withSlashes(join(entry.parentPath, entry.name).slice(folder.length + 1)))
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function withSlashes(path: string): string {
  return path.replaceAll(sep, '/')
}
