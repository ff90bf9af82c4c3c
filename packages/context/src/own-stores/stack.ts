/** Who called a function. */
export interface Caller {
  /** Whether Node itself did. */
  readonly isInternal: boolean
  /** The first line of the stack outside `node_modules` and the runtime, for people; `''` if there is none. */
  readonly frame: string
}

/** Frames of libraries between the reader and the app's own code. */
const DEPTH = 50

/** Who called the function `below`, which must be on the stack. */
export function callerOf(below: (...args: any[]) => unknown): Caller {
  const holder: { stack?: unknown } = {}
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = DEPTH
  Error.captureStackTrace(holder, below)
  Error.stackTraceLimit = stackTraceLimit
  const lines = typeof holder.stack === 'string' ? holder.stack.split('\n').filter(isFrame) : []
  return {
    // Bun leaves out who calls last of all (a tail call), so a line of its own says nothing.
    isInternal: /\bnode:internal\b/.test(lines[0] ?? ''),
    frame: lines.find((line) => !isRuntime(line) && !line.includes('node_modules'))?.trim() ?? '',
  }
}

function isFrame(line: string): boolean {
  return /^\s*at /.test(line)
}

function isRuntime(line: string): boolean {
  return /\bnode:|\(native|\[native code\]/.test(line)
}
