/** What the way to a Jaeger says where there is none. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { buildJaeger, findJaeger } from './build.ts'
import { Jaeger } from './jaeger.ts'

describe.skipIf(process.platform === 'win32')('a machine', () => {
  let folder: string
  let env: NodeJS.ProcessEnv
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-jaeger-'))
    mkdirSync(join(folder, 'bin'))
    env = { PATH: join(folder, 'bin'), HOME: folder }
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function script(name: string, text: string): string {
    const path = join(folder, 'bin', name)
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('without Go is told that Go is missing', () => {
    expect(findJaeger({ env })).toBeUndefined()
    expect(() => buildJaeger({ env, folders: [] })).toThrow('Go is not installed')
  })

  it('with an old Go is told which one it needs', () => {
    script('go', 'echo go1.21.3')
    expect(() => buildJaeger({ env, folders: [] })).toThrow(
      'Expected Go 1.24 or later, got go1.21.3',
    )
  })

  it('on which the build fails is told what Go said, and keeps nothing of it', () => {
    script('go', '[ "$1" = env ] && echo go1.26.0 || { echo "no route to host" >&2; exit 1; }')
    expect(() => buildJaeger({ env, folders: [] })).toThrow('no route to host')
    expect(findJaeger({ env })).toBeUndefined()
  })

  it('builds once', () => {
    const go =
      '[ "$1" = env ] && echo go1.26.0 || { echo "#!/bin/sh" > "$6"; echo built >> "$HOME/log"; }'
    script('go', go)
    const told: string[] = []
    const program = buildJaeger({ env, folders: [], onBuild: (message) => told.push(message) })
    expect(buildJaeger({ env, folders: [], onBuild: (message) => told.push(message) })).toBe(
      program,
    )
    expect(findJaeger({ env })).toBe(program)
    expect(told).toHaveLength(1)
  })

  it('is shown what a Jaeger printed that did not start', async () => {
    const program = script('jaeger', 'echo "port is taken" >&2; exit 1')
    await expect(Jaeger.start(program)).rejects.toThrow('port is taken')
  })

  it('is told when there is no such program', async () => {
    await expect(Jaeger.start(join(folder, 'bin/none'))).rejects.toThrow('ENOENT')
  })
})
