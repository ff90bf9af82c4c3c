import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** It gives up soon where there is no index. */
const PIP = ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--timeout', '15', '-r']

/** What LitServe needs to run, in a folder of this bench. */
export interface Venv {
  readonly python: string
  /** The model that both sides run. */
  readonly model: string
}

/**
 * LitServe in a virtual environment that stays in the user's cache folder: made once for each content of
 * requirements.txt and model.py.
 *
 * @returns `undefined`, after a line that says why, where there is no Python or no package index
 */
export function makeVenv(): Venv | undefined {
  const requirements = join(import.meta.dirname, 'requirements.txt')
  const modelProgram = join(import.meta.dirname, 'model.py')
  const hash = createHash('sha256')
  for (const file of [requirements, modelProgram]) hash.update(readFileSync(file))
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(cache, 'heddle', `litserve-${hash.digest('hex').slice(0, 12)}`)
  const python = join(folder, 'bin/python')
  const model = join(folder, 'matmul.onnx')
  // The model is written last.
  if (existsSync(model)) return { python, model }

  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    console.error('Installs LitServe into a virtual environment')
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' })
    execFileSync(python, [...PIP, requirements], { stdio: 'pipe' })
    execFileSync(python, [modelProgram, model], { stdio: 'pipe' })
    return { python, model }
  } catch (error) {
    console.error(`LitServe is left out: it cannot be installed. ${String(error)}`)
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
}
