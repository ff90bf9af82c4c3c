import { warn } from '@heddle/context/engine'

import { isTrueWithin } from './within.ts'

type Check = () => boolean | PromiseLike<boolean>

/** ms for a check: probes of an orchestrator give up after a second. */
const TIME = 800

/** What a service needs, asked once at a time: what hangs is not asked again while it hangs. */
export class Checks {
  readonly #checks: readonly Check[]
  readonly #pending = new Map<Check, Promise<boolean>>()

  constructor(checks: readonly Check[]) {
    this.#checks = checks
  }

  async areMet(): Promise<boolean> {
    const all = Promise.all(this.#checks.map((check, index) => this.#ask(check, index)))
    return await isTrueWithin(
      TIME,
      all.then((answers) => answers.every(Boolean)),
    )
  }

  #ask(check: Check, index: number): Promise<boolean> {
    const pending = this.#pending.get(check)
    if (pending) return pending
    const answer = isMet(check, index).finally(() => this.#pending.delete(check))
    this.#pending.set(check, answer)
    return answer
  }
}

async function isMet(check: Check, index: number): Promise<boolean> {
  try {
    // In JavaScript it may say anything, and what is no yes is a no.
    const answer: unknown = await check()
    return answer === true
  } catch (error) {
    // The answer does not tell it: it goes to whoever asks.
    const message = `heddleHealth(): \`checks[${index}]\` failed, so the service is not ready`
    warn('HEALTH_CHECK_FAILED', String(index), message, error)
    return false
  }
}
