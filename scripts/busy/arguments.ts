import { parseArgs } from 'node:util'

const RUNTIMES = ['node', 'bun'] as const

export type Runtime = (typeof RUNTIMES)[number]

export interface Arguments {
  /** How many processes keep the machine busy. */
  readonly count: number
  readonly runtimes: readonly Runtime[]
  /** For the test runners: files, folders, and options that both know, such as `-t`. */
  readonly rest: readonly string[]
}

/** @throws RangeError */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: args.filter(isOwn),
    options: { busy: { type: 'string', default: '8' }, runtime: { type: 'string' } },
  })
  const count = Number(values.busy)
  if (!Number.isInteger(count) || count < 0 || count > 256) {
    throw new RangeError(`Expected --busy to be a whole number from 0 to 256, got ${values.busy}`)
  }
  const runtimes = RUNTIMES.filter((name) => (values.runtime ?? name) === name)
  if (runtimes.length === 0) {
    throw new RangeError(`Expected --runtime to be node or bun, got ${values.runtime}`)
  }
  // pnpm hands over the dashes before the arguments of a script, too.
  return { count, runtimes, rest: args.filter((argument) => !isOwn(argument) && argument !== '--') }
}

function isOwn(argument: string): boolean {
  return /^--(?:busy|runtime)\b/.test(argument)
}
