/**
 * Beside a Hono that is older than the peer dependency says, the package tells the reason. The older ones
 * are made of the present one, so that no registry is needed: 4.10 had no `tryGetContext`, and 4.5 no
 * `hono/context-storage`.
 */
import { execFile } from 'node:child_process'
import {
  cpSync,
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
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const source = resolve(import.meta.dirname, '../../packages/hono')
const { peerDependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
  peerDependencies: Record<string, string>
}

let folder: string
let hono: string

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-older-hono-')))
  cpSync(join(source, 'src'), join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'copy', type: 'module' }))
  for (const name of dependencies()) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(resolve(link, '..'), { recursive: true })
    if (name !== 'hono') symlinkSync(realpathSync(join(source, 'node_modules', name)), link)
  }
  hono = join(folder, 'node_modules/hono')
  cpSync(realpathSync(join(source, 'node_modules/hono')), hono, { recursive: true })
  writeFileSync(
    join(folder, 'program.mjs'),
    "const { heddle } = await import('./src/index.ts')\nheddle()\nconsole.log('it works')\n",
  )
})

afterAll(() => rmSync(folder, { recursive: true }))

function dependencies(): string[] {
  const modules = join(source, 'node_modules')
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
}

/** What the program prints, errors included. */
async function output(): Promise<string> {
  const run = promisify(execFile)
  try {
    const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder })
    return stdout
  } catch (error) {
    return (error as { readonly stderr: string }).stderr
  }
}

describe('a Hono that is too old', () => {
  it('is not found in the present one', async () => {
    expect(peerDependencies['hono']).toMatch(/^\^4\.12\.0 /)
    expect(await output()).toBe('it works\n')
  })

  it('is named with the cure where it has no `tryGetContext`', async () => {
    const file = join(hono, 'dist/middleware/context-storage/index.js')
    writeFileSync(file, 'export const contextStorage = () => {}, getContext = () => {}\n')
    const text = await output()
    expect(text).toContain('@heddle/hono needs Hono 4.12 or later, and this is an older one')
    expect(text).toContain('npm install hono@latest')
    expect(text).not.toContain('does not provide an export')
  })

  it('is named by the file that needs it where it has no context storage', async () => {
    const manifest = join(hono, 'package.json')
    const { exports, ...others } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      exports: Record<string, unknown>
    }
    delete exports['./context-storage']
    delete exports['./route']
    writeFileSync(manifest, JSON.stringify({ ...others, exports }))
    expect(await output()).toMatch(
      /hono\/context-storage.*needs-hono-4\.12|context-storage'.*needs-hono-4\.12/,
    )
  })
})
