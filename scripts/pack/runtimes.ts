import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { run } from './command.ts'

/** The oldest Node.js of `engines` in the packages. */
const OLDEST = [22, 18] as const

export interface Runtime {
  readonly name: string
  readonly command: string
  /** Whether the packages are meant for it. */
  readonly isSupported: boolean
}

/** The Node.js and the Bun of the repository, and the Node.js that the machine has besides. */
export function runtimes(root: string): Runtime[] {
  const modules = join(root, 'node_modules')
  const own = nodeAt(join(modules, '.bin/node'))
  // pnpm and npx put what they have installed first on the path of a script.
  const outside = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((path) => existsSync(path))
  const nodes = outside === undefined ? [own] : [own, nodeAt(outside)]
  const bun = join(modules, '.bin/bun')
  return [
    ...new Map(nodes.map((node) => [node.name, node])).values(),
    { name: `Bun ${run(root, bun, '--version').trim()}`, command: bun, isSupported: true },
  ]
}

function nodeAt(command: string): Runtime {
  const version = run('.', command, '--print', 'process.versions.node').trim()
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isSupported = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  return { name: `Node.js ${version}`, command, isSupported }
}
