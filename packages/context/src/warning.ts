import { channel } from 'node:diagnostics_channel'

import { runNeutral } from './neutral.ts'

const warnings = channel('heddle:warning')
const given = new Set<string>()

/** Wrong use throws in development, where somebody sees it, and must not take a service down. */
export function isDevelopment(): boolean {
  return process.env.NODE_ENV !== 'production'
}

/**
 * Reports what must not be thrown: every time on the diagnostics channel `heddle:warning`, once per
 * `topic` as a process warning.
 */
export function warn(code: string, topic: string, message: string, cause?: unknown): void {
  runNeutral(() => {
    if (warnings.hasSubscribers) warnings.publish({ code, topic, message, cause })
    const key = `${code} ${topic}`
    if (given.has(key)) return
    given.add(key)
    process.emitWarning(message, { type: 'HeddleWarning', code })
  })
}
