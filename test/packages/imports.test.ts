/** The packages, each with what it may import: those before it, and the modules it names. */
import { describe, expect, it } from 'vitest'

import {
  importsIn,
  manifestOf,
  packageFolders,
  sourceFiles,
  targetOf,
  withoutComments,
} from './source.ts'

const telemetry = ['@opentelemetry/api', '@opentelemetry/semantic-conventions']

/** For `batchRoute` and `streamBatched`; none is longer than 200 lines, and none has dependencies. */
const routes = ['@hono/standard-validator', '@standard-schema/spec', 'eventsource-encoder']

/** From left to right: a package never imports to its right. */
const graph: [folder: string, foreign: readonly string[]][] = [
  ['context', []],
  ['core', []],
  ['otel', telemetry],
  ['hono', [...telemetry, ...routes, 'hono']],
]

function allowed(folder: string): string[] {
  const place = graph.findIndex(([name]) => name === folder)
  const left = graph.slice(0, place).map(([name]) => `@heddle/${name}`)
  return [...left, ...(graph[place]?.[1] ?? [])]
}

/** `@heddle/context/engine` → `@heddle/context` */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What the sources of a package import from other packages, and where: `hono in core/src/engine.ts`. */
function foreignImports(folder: string): { name: string; place: string }[] {
  return sourceFiles(folder).flatMap((file) =>
    importsIn(file.code)
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .map((specifier) => ({
        name: packageOf(specifier),
        place: `${specifier} in ${file.path}`,
      })),
  )
}

describe('the import graph', () => {
  it('knows every package', () => {
    expect(packageFolders()).toEqual(graph.map(([folder]) => folder).toSorted())
  })

  it.each(graph)('%s imports only what is to its left, and %j', (folder) => {
    const may = allowed(folder)
    const wrong = foreignImports(folder).filter(({ name }) => !may.includes(name))
    expect(sourceFiles(folder).length).toBeGreaterThan(0)
    expect(wrong.map(({ place }) => place)).toEqual([])
  })

  it.each(graph)('%s depends only on what it may import, and names all that it does', (folder) => {
    const { name, dependencies, peerDependencies, optionalDependencies } = manifestOf(folder)
    const named = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
    const may = allowed(folder)
    expect(name).toBe(`@heddle/${folder}`)
    expect(named.filter((dependency) => !may.includes(dependency))).toEqual([])
    const missing = foreignImports(folder).filter((wanted) => !named.includes(wanted.name))
    expect(missing.map(({ place }) => place)).toEqual([])
  })

  it.each(graph)('%s stays inside its own folder with relative paths', (folder) => {
    const leaving = sourceFiles(folder).flatMap((file) =>
      importsIn(file.code)
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !targetOf(file, specifier).startsWith(`${folder}/src/`))
        .map((specifier) => `${specifier} in ${file.path}`),
    )
    expect(leaving).toEqual([])
  })
})

/** The files in which the pattern stands, once for each time. */
function places(pattern: RegExp): string[] {
  return sourceFiles().flatMap(({ path, code }) => [...code.matchAll(pattern)].map(() => path))
}

describe('the functions of time', () => {
  // The linter looks for the global variables.
  it('are taken as members of no object that a test may write to', () => {
    const members = /\b(?:process\.nextTick|globalThis\.(?:set|clear|queue|performance))/g
    expect(places(members)).toEqual([])
  })
})

describe('the mode', () => {
  it('is not read by the name that bundlers replace by what it is where they run', () => {
    expect(places(/\bprocess\??\.env\??\.NODE_ENV\b/g)).toEqual([])
  })
})

describe('node:async_hooks (R2, R3)', () => {
  it('has one AsyncLocalStorage in the whole process, without options', () => {
    expect(places(/\b(?:new|extends)\s+AsyncLocalStorage\b/g)).toEqual(['context/src/registry.ts'])
    expect(places(/\bnew\s+AsyncLocalStorage\s*(?:<[^>]*>)?\s*\(\s*\)/g)).toEqual([
      'context/src/registry.ts',
    ])
  })

  it('is imported by the plain names that the other checks look for', () => {
    const clauses = sourceFiles().flatMap(({ code }) =>
      [...code.matchAll(/import\s+(?:type\s+)?([^'"]*?)\s+from\s+['"]node:async_hooks['"]/g)].map(
        ([, clause]) => clause,
      ),
    )
    const mentions = places(/async_hooks/g)
    expect(mentions.length).toBe(clauses.length)
    expect(clauses.length).toBeGreaterThan(0)
    for (const clause of clauses) {
      expect(clause).toMatch(/^\{(?:\s*Async(?:LocalStorage|Resource),?)+\s*\}$/)
    }
  })

  it.each([
    // As a member or taken out of an object; a message may name them.
    ['enterWith', /(?:[.{,]\s*|\[\s*['"`])enterWith\b/g],
    ['withScope', /(?:[.{,]\s*|\[\s*['"`])withScope\b/g],
    ['exit', /\.\s*exit\s*\(/g],
    ['bind and snapshot', /\bAsync(?:LocalStorage|Resource)\s*\.\s*(?:bind|snapshot)\b/g],
    // Without the option the collector calls a destroy hook for every resource.
    [
      'a resource that is destroyed by the collector',
      /\bnew\s+AsyncResource\b(?!\([^)]*requireManualDestroy: true)/g,
    ],
  ])('is used without %s', (_name, pattern) => {
    expect(places(pattern)).toEqual([])
  })
})

describe('the scanner', () => {
  it('sees every way to import, on one line or on several', () => {
    const code = [
      "import { a } from 'one'",
      "import type {\n  b,\n} from 'two'",
      "export * from 'three'",
      "import 'four'",
      "type C = import('five').C",
      "await import(\n  'six'\n)",
      "require('seven')",
    ].join('\n')
    expect(importsIn(code)).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
  })

  it('leaves comments out, and nothing else', () => {
    const code = [
      '/** Like `enterWith`. */',
      "const url = 'https://x' // not enterWith",
      '  /*\n   * @example import "x"\n   */',
      'const pattern = /[*/]/ /* kept: it does not open the line */',
      '// oxlint-disable-next-line',
      'done()',
    ].join('\n')
    expect(withoutComments(code).split('\n').filter(Boolean)).toEqual([
      "const url = 'https://x'",
      'const pattern = /[*/]/ /* kept: it does not open the line */',
      'done()',
    ])
  })
})
