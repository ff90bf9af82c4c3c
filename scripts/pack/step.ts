import { CommandError } from './command.ts'

/** Does one thing and prints a line about it. The steps of a script build on each other, so the first that fails ends it. */
export function step<R>(name: string, work: () => R): R {
  const start = performance.now()
  try {
    const result = work()
    const note = typeof result === 'string' ? `, ${result}` : ''
    console.log(`ok      ${name} (${((performance.now() - start) / 1e3).toFixed(1)} s${note})`)
    return result
  } catch (error) {
    return fail(name, error)
  }
}

function fail(name: string, error: unknown): never {
  console.log(`FAILED  ${name}`)
  console.error(error instanceof CommandError ? error.message : error)
  return process.exit(1)
}
