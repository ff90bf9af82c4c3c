import { mode } from './mode.ts'
import { runNeutral } from './neutral.ts'
import { emitWarning } from './process-warning.ts'
import { warningChannel } from './warning-channel.ts'

const warnings = warningChannel('heddle:warning')
const given = new Set<string>()

/** Wrong use throws in development, where somebody sees it, and must not take a service down. */
export function isDevelopment(): boolean {
  return mode() !== 'production'
}

/** Reports what nobody may hear of otherwise on the diagnostics channel `heddle:warning`. */
export function notice(code: string, topic: string, message: string, cause?: unknown): void {
  if (warnings.hasSubscribers) runNeutral(() => warnings.publish({ code, topic, message, cause }))
}

/**
 * Reports what must not be thrown: every time on the diagnostics channel `heddle:warning`, once per
 * `topic` as a process warning.
 */
export function warn(code: string, topic: string, message: string, cause?: unknown): void {
  notice(code, topic, message, cause)
  runNeutral(() => {
    const key = `${code} ${topic}`
    if (given.has(key)) return
    given.add(key)
    emitWarning(message, code)
  })
}

// Once, at the start: reading the environment for every request would cost more than the rest of it.
const looksForCallSites = isDevelopment()

/**
 * Where in the code the function `below` was called from, as the lines of a stack trace; `undefined` in
 * production, since looking costs some µs.
 */
export function callSite(below: (...args: any[]) => unknown): string | undefined {
  if (!looksForCallSites) return undefined
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, below)
  // As text at once: a stack that has not been read holds the functions that are on it.
  return holder.stack?.slice(holder.stack.indexOf('\n'))
}
