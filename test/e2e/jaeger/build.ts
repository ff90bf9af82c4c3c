/** Jaeger's program, built from its source by Go once and kept in a cache folder. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const MODULE = 'github.com/jaegertracing/jaeger/cmd/jaeger'
/** What the module file asks for. */
const GO_VERSION = [1, 24] as const
/** ms; it takes some seven minutes of CPU time from empty caches. */
const PATIENCE = 30 * 60_000
/** Where Go's own installer puts it, which is not always on the path. */
const USUAL_FOLDERS: readonly string[] = ['/usr/local/go/bin']

/** Why there is no Jaeger here; the tests that need it are then left out. */
export class NoJaegerError extends Error {
  override readonly name = 'NoJaegerError'
}

export interface BuildOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Where else than on the path Go may be. */
  readonly folders?: readonly string[]
  /** Told before a build that takes minutes. */
  readonly onBuild?: (message: string) => void
}

/** The program if it has been built already. */
export function findJaeger({ env = process.env }: BuildOptions = {}): string | undefined {
  const program = programIn(cacheFolder(env))
  return existsSync(program) ? program : undefined
}

/**
 * @returns the path of the program
 * @throws NoJaegerError where there is no Go that can build it
 * @throws Error when the build fails
 */
export function buildJaeger({
  env = process.env,
  folders = USUAL_FOLDERS,
  onBuild,
}: BuildOptions = {}): string {
  const found = findJaeger({ env })
  if (found !== undefined) return found
  const go = goOf(env, folders)
  const folder = cacheFolder(env)
  mkdirSync(folder, { recursive: true })
  accessSync(folder, constants.W_OK)
  onBuild?.(`Builds Jaeger into ${folder}: some minutes, once`)
  // Renamed when it is whole, so that a build that is cut off leaves nothing that looks like one.
  const unfinished = join(folder, `jaeger-${process.pid}`)
  const { status, stderr, error } = spawnSync(
    go,
    ['build', '-trimpath', '-ldflags', '-s -w', '-o', unfinished, MODULE],
    { cwd: import.meta.dirname, env, encoding: 'utf8', timeout: PATIENCE },
  )
  if (status !== 0) {
    throw new Error(
      `Jaeger could not be built by ${go}: ${error?.message ?? stderr.trim().split('\n').slice(-5).join('\n')}. ` +
        'Likely cause: no Go module proxy can be reached. Cure: set GOPROXY, or build once where there is one.',
    )
  }
  const program = programIn(folder)
  renameSync(unfinished, program)
  return program
}

/** By the contents of the module files, so that another version is built again. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum'])
    hash.update(readFileSync(join(import.meta.dirname, file)))
  const version = hash.digest('hex').slice(0, 12)
  const home = env['HOME'] ?? homedir()
  const cache = env['XDG_CACHE_HOME'] ?? (home === '' ? tmpdir() : join(home, '.cache'))
  return join(cache, 'heddle', `jaeger-${version}`)
}

function programIn(folder: string): string {
  return join(folder, process.platform === 'win32' ? 'jaeger.exe' : 'jaeger')
}

/** @throws NoJaegerError */
function goOf(env: NodeJS.ProcessEnv, others: readonly string[]): string {
  for (const folder of [...(env['PATH'] ?? '').split(delimiter), ...others]) {
    const { stdout } = spawnSync(join(folder, 'go'), ['env', 'GOVERSION'], {
      env,
      encoding: 'utf8',
    })
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout ?? '') ?? []
    if (major === undefined) continue
    if (Number(major) > GO_VERSION[0] || Number(minor) >= GO_VERSION[1]) return join(folder, 'go')
    throw new NoJaegerError(`Expected Go ${GO_VERSION.join('.')} or later, got ${stdout.trim()}`)
  }
  throw new NoJaegerError('Go is not installed, and Jaeger is built by it')
}
