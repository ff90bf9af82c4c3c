import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'

import { ErrorBoundary, warn } from '@heddle/context/engine'
import { describe, expect, it } from 'vitest'

import { turn } from '../support/crank.ts'
import { thrown, watchProcess } from '../support/faults.ts'

const faults = Object.entries(thrown)

let topics = 0

/** Each is a topic of its own, so that each is a process warning. */
function topic(): string {
  topics += 1
  return `test.warnings ${topics}`
}

describe('a subscriber of heddle:warning', () => {
  it.each(faults)('that throws %s ends nothing (R11)', async (_name, make) => {
    using watch = watchProcess()
    const processWarnings: unknown[] = []
    const note = (warning: Error & { readonly code?: string }): void =>
      void processWarnings.push(warning.code)
    process.on('warning', note)
    const throwing = (): never => {
      throw make()
    }
    subscribe('heddle:warning', throwing)
    try {
      warn('TEST', topic(), 'first')
      warn('TEST', topic(), 'second')
      await turn()
    } finally {
      unsubscribe('heddle:warning', throwing)
      process.off('warning', note)
    }
    expect(watch.warnings.map(({ message }) => message)).toEqual(['first', 'second'])
    // Once for a subscriber, however often it fails.
    expect(processWarnings.filter((code) => code === 'SUBSCRIBER_FAILED')).toHaveLength(1)
    expect(processWarnings).toHaveLength(3)
    expect(watch.uncaught).toEqual([])
  })

  it('whose promise rejects ends nothing', async () => {
    using watch = watchProcess()
    const rejecting = (): unknown => Promise.reject(new Error('subscriber'))
    subscribe('heddle:warning', rejecting)
    try {
      warn('TEST', topic(), 'message')
      await turn()
    } finally {
      unsubscribe('heddle:warning', rejecting)
    }
    expect(watch.uncaught).toEqual([])
  })

  it('is called until it unsubscribes, by whichever way it subscribed', () => {
    const warnings = channel('heddle:warning')
    const ways = [
      [subscribe.bind(undefined, 'heddle:warning'), unsubscribe.bind(undefined, 'heddle:warning')],
      [warnings.subscribe.bind(warnings), warnings.unsubscribe.bind(warnings)],
    ] as const
    for (const [on] of ways) {
      for (const [, off] of ways) {
        const messages: unknown[] = []
        const note = (message: unknown, name: string | symbol): void =>
          void messages.push((message as { message: string }).message, name)
        on(note)
        warn('TEST', 'subscribed', 'seen')
        expect([off(note), off(note)]).toEqual([true, false])
        warn('TEST', 'subscribed', 'not seen')
        expect(messages).toEqual(['seen', 'heddle:warning'])
        expect(warnings.hasSubscribers).toBe(false)
      }
    }
  })

  it('must be a function, as ever', () => {
    expect(() => subscribe('heddle:warning', 'no function' as never)).toThrow(TypeError)
  })
})

describe('a report', () => {
  it.each(faults)('of %s cannot throw', (_name, make) => {
    using watch = watchProcess()
    const boundary = new ErrorBoundary('the culprit')
    const fail = (): never => {
      throw make()
    }
    expect([boundary.run('part', fail), boundary.run('part', fail)]).toEqual([undefined, undefined])
    expect(boundary.run('other', fail)).toBe(undefined)
    expect(watch.culprits).toEqual(['the culprit other', 'the culprit part'])
    expect(watch.warnings[0]?.message).toContain('`part` of `the culprit` failed')
  })

  it('cannot throw when the app has replaced `process.emitWarning`', () => {
    const { emitWarning } = process
    process.emitWarning = () => {
      throw new Error('no warnings here')
    }
    try {
      expect(() => warn('TEST', topic(), 'message')).not.toThrow()
    } finally {
      process.emitWarning = emitWarning
    }
  })
})

describe('what an instrumentation makes active', () => {
  it.each(faults)('is passed over where entering it throws %s', (_name, make) => {
    using watch = watchProcess()
    const boundary = new ErrorBoundary('the culprit')
    let calls = 0
    const fn = (): string => `call ${(calls += 1)}`
    const before = (): never => {
      throw make()
    }
    const after = (call: () => string): never => {
      call()
      throw make()
    }
    expect(boundary.enter('before', before, fn)).toBe('call 1')
    expect(boundary.enter('after', after, fn)).toBe('call 2')
    expect(boundary.enter('never', () => 'nothing', fn)).toBe('call 3')
    expect(boundary.enter('twice', (call) => call() + call(), fn)).toBe('call 4')
    expect(watch.culprits).toEqual(['the culprit after', 'the culprit before'])
  })

  it('leaves what is thrown inside as it is', () => {
    using watch = watchProcess()
    const failure = new Error('its own')
    const boundary = new ErrorBoundary('the culprit')
    const fail = (): never => {
      throw failure
    }
    expect(() => boundary.enter('part', (call) => call(), fail)).toThrow(failure)
    expect(watch.warnings).toEqual([])
  })
})
