import { spawnSync } from 'node:child_process'

/** ms; an installation on a slow network takes a while. */
const PATIENCE = 300_000

/** A command that did not end well; its message has everything that the command wrote. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/**
 * Runs a command and returns what it wrote to its output.
 *
 * @throws CommandError
 */
export function run(folder: string, command: string, ...options: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, options, {
    cwd: folder,
    encoding: 'utf8',
    timeout: PATIENCE,
  })
  if (status === 0) return stdout
  const wrote = [stdout, stderr, error?.message].filter(Boolean).join('\n')
  throw new CommandError(`\`${[command, ...options].join(' ')}\` failed in ${folder}:\n${wrote}`)
}

/** pnpm as the documents start it, so that npm is all that is needed. */
export function pnpm(folder: string, ...options: readonly string[]): string {
  return run(folder, 'npx', '--yes', 'pnpm@12', ...options)
}
