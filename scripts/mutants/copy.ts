import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/**
 * A copy of packages and tests in a temporary folder, whose `@heddle/*` are its own. Everything else
 * in node_modules is the original's. Removed when the process ends, in whichever way.
 */
export class RepositoryCopy {
  readonly folder: string

  constructor() {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-mutants-')))
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }))
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      if (entry.isFile()) cpSync(join(root, entry.name), join(this.folder, entry.name))
    }
    for (const folder of ['packages', 'test']) {
      cpSync(join(root, folder), join(this.folder, folder), {
        recursive: true,
        // The links between the packages are relative, so they lead to the copies.
        verbatimSymlinks: true,
        filter: (source) => basename(source) !== 'dist' && !source.endsWith('.tsbuildinfo'),
      })
    }
    this.#linkModules()
    this.#assertOwnPackages()
  }

  /** How often the text stands in the file. */
  countOf(file: string, text: string): number {
    return readFileSync(join(this.folder, file), 'utf8').split(text).length - 1
  }

  /** Runs `fn` while `to` stands in the place of `from` in the file. */
  whileReplaced<R>(file: string, from: string, to: string, fn: () => R): R {
    const path = join(this.folder, file)
    const original = readFileSync(path, 'utf8')
    // Joined, since `$` would have a meaning in a replacement text.
    writeFileSync(path, original.split(from).join(to))
    try {
      return fn()
    } finally {
      writeFileSync(path, original)
    }
  }

  #linkModules(): void {
    const from = join(root, 'node_modules')
    const to = join(this.folder, 'node_modules')
    mkdirSync(to)
    for (const name of readdirSync(from)) {
      // `.pnpm` holds the packages; the other hidden ones are caches, which the copy makes itself.
      if (name.startsWith('.') && name !== '.pnpm') continue
      if (name === '@heddle') {
        cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
      } else {
        symlinkSync(realpathSync(join(from, name)), join(to, name), 'junction')
      }
    }
  }

  /** Without this a mutant would be tested in the original, and survive. */
  #assertOwnPackages(): void {
    const links = globSync(['node_modules/@heddle/*', 'packages/*/node_modules/@heddle/*'], {
      cwd: this.folder,
    })
    if (links.length === 0) throw new Error('Expected links to the packages in the copy, got none')
    for (const link of links) {
      const own = join(this.folder, 'packages', basename(link))
      const target = realpathSync(join(this.folder, link))
      if (target !== own || !existsSync(own)) {
        throw new Error(`Expected ${link} to lead to ${own}, got ${target}`)
      }
    }
  }
}
