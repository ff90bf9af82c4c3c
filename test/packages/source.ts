import { globSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'

const packages = resolve(import.meta.dirname, '../../packages')

/** One source file of a package. */
export interface SourceFile {
  /** For example `core/src/engine.ts`, on every platform. */
  readonly path: string
  /** Its text without the comments: they may name what the code must not do. */
  readonly code: string
}

export interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export function packageFolders(): string[] {
  return globSync('*/package.json', { cwd: packages })
    .map((path) => path.split(sep)[0] ?? '')
    .toSorted()
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8')) as Manifest
}

export function sourceFiles(folder = '*'): SourceFile[] {
  return globSync(`${folder}/src/**/*.ts`, { cwd: packages }).map((path) => ({
    path: path.replaceAll(sep, '/'),
    code: withoutComments(readFileSync(join(packages, path), 'utf8')),
  }))
}

/** Where a relative import leads, as `core/src/engine.ts`. */
export function targetOf(file: SourceFile, specifier: string): string {
  return relative(packages, resolve(packages, file.path, '..', specifier)).replaceAll(sep, '/')
}

/**
 * Goes by the layout that oxfmt gives: a block comment opens its line, and a space stands before a
 * comment at the end of one. What is missed stays in, so it can raise an alarm but not silence one.
 */
export function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, '').replaceAll(/(?:^|\s)\/\/ .*$/gm, '')
}

/** Every module that the code names: `from '…'`, `import '…'`, `import('…')` and `require('…')`. */
export function importsIn(code: string): string[] {
  const imports =
    /\b(?:from|import)\s*(['"])(?<plain>[^'"\n]+)\1|\b(?:import|require)\s*\(\s*(['"`])(?<called>[^'"`\n]+)\3/g
  return [...code.matchAll(imports)].map(({ groups }) => groups?.plain ?? groups?.called ?? '')
}
