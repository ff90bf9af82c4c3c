import { addAbortListener, EventEmitter, EventEmitterAsyncResource, on, once } from 'node:events'
import { PerformanceObserver, performance } from 'node:perf_hooks'

import { abort, listener, wrap } from '../mends.ts'
import { inA, inB, resolvedByB, seen, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const EMITTER = 'A listener is called by whoever emits, in that context: no runtime keeps another.'

export const events: Group = {
  title: 'Events and signals',
  rows: [
    mendedRow(
      '`EventEmitter`: listener of A, emitted by B',
      'B',
      listener,
      (wrapped) =>
        told((tell) => {
          const emitter = new EventEmitter()
          inA(() => emitter.on('event', wrapped(tell)))
          inB(() => emitter.emit('event'))
        }),
      { issues: ['nodejs/node#33723'], why: EMITTER },
    ),
    mendedRow('`EventEmitter`: `once` listener of A, emitted by B', 'B', listener, (wrapped) =>
      told((tell) => {
        const emitter = new EventEmitter()
        inA(() => emitter.once('event', wrapped(tell)))
        inB(() => emitter.emit('event'))
      }),
    ),
    row('`EventEmitterAsyncResource` of A, emitted by B', 'A', () =>
      told((tell) => {
        const emitter = inA(() => new EventEmitterAsyncResource({ name: 'Conformance' }))
        emitter.on('event', tell)
        inB(() => emitter.emit('event'))
      }),
    ),
    row('`events.once`, emitted by B', 'A', () => {
      const emitter = new EventEmitter()
      const saw = inA(() => once(emitter, 'event').then(seen))
      inB(() => emitter.emit('event'))
      return saw
    }),
    row('`events.on` in `for await`, emitted by B', 'A', () => {
      const emitter = new EventEmitter()
      const saw = inA(async () => {
        for await (const _ of on(emitter, 'event')) return seen()
        return 'none'
      })
      inB(() => emitter.emit('event'))
      return saw
    }),
    mendedRow('`process`: listener of A, emitted by B', 'B', listener, (wrapped) =>
      told((tell) => {
        inA(() => process.once('conformance', wrapped(tell)))
        inB(() => process.emit('conformance' as any))
      }),
    ),
    mendedRow('`EventTarget`: listener of A, dispatched by B', 'B', listener, (wrapped) =>
      told((tell) => {
        const target = new EventTarget()
        inA(() => target.addEventListener('event', wrapped(tell)))
        inB(() => target.dispatchEvent(new Event('event')))
      }),
    ),
    mendedRow('`AbortSignal`: listener of A, `abort()` by B', 'B', abort, (onAbort) =>
      told((tell) => {
        const controller = new AbortController()
        inA(() => onAbort(controller.signal, tell))
        inB(() => controller.abort())
      }),
    ),
    mendedRow(
      '`AbortSignal.any`: listener of A, `abort()` of a source by B',
      'B',
      abort,
      (onAbort) =>
        told((tell) => {
          const controller = new AbortController()
          inA(() => onAbort(AbortSignal.any([controller.signal]), tell))
          inB(() => controller.abort())
        }),
    ),
    mendedRow(
      '`AbortSignal.timeout` of A',
      'A',
      abort,
      (onAbort) => told((tell) => inA(() => onAbort(AbortSignal.timeout(1), tell))),
      { issues: ['oven-sh/bun#32805'], why: 'Nobody aborts it but time, so it can be A only.' },
    ),
    mendedRow(
      '`AbortSignal.timeout` of B: listener of A',
      'A',
      abort,
      (onAbort) =>
        told((tell) => {
          const signal = inB(() => AbortSignal.timeout(1))
          inA(() => onAbort(signal, tell))
        }),
      { issues: ['oven-sh/bun#32805'] },
    ),
    mendedRow('`events.addAbortListener` of A, `abort()` by B', 'B', listener, (wrapped) =>
      told((tell) => {
        const controller = new AbortController()
        inA(() => addAbortListener(controller.signal, wrapped(tell)))
        inB(() => controller.abort())
      }),
    ),
    mendedRow(
      '`process.on("SIGUSR2")`: listener of A, sent by B',
      'A',
      listener,
      async (wrapped) => {
        if (process.platform === 'win32') return 'n/a'
        return told((tell) => {
          inA(() => process.once('SIGUSR2', wrapped(tell)))
          inB(() => process.kill(process.pid, 'SIGUSR2'))
        })
      },
      { issues: ['oven-sh/bun#33069'] },
    ),
    mendedRow('`process.on("warning")`: listener of A, warned by B', 'B', listener, (wrapped) =>
      told((tell) => {
        inA(() => process.once('warning', wrapped(tell)))
        inB(() => process.emitWarning('of the conformance suite'))
      }),
    ),
    row(
      '`process.on("unhandledRejection")` of nobody: rejected by A',
      'A or ∅',
      () =>
        told((tell) => {
          process.once('unhandledRejection', tell)
          inA(() => void Promise.reject(new Error('A')))
        }),
      {
        issues: ['oven-sh/bun#40223'],
        why: 'TC39 wants it empty. Nothing may rely on it: a promise has a `catch` in its request.',
      },
    ),
    mendedRow(
      '`PerformanceObserver` of A, mark by B',
      'A',
      wrap,
      (wrapped) =>
        told((tell) => {
          inA(() => {
            const observer = new PerformanceObserver(
              wrapped(() => {
                observer.disconnect()
                tell()
              }),
            )
            observer.observe({ entryTypes: ['mark'] })
          })
          inB(() => performance.mark('conformance'))
        }),
      {
        issues: ['oven-sh/bun#33069'],
        why: 'One call tells of the marks of many, so it cannot be in the context of one of them.',
      },
    ),
    mendedRow('`navigator.locks.request` callback of A, freed by B', 'A', wrap, async (wrapped) => {
      const { locks } = navigator as Navigator & { locks?: Locks }
      if (!locks) return 'n/a'
      const { promise: held, resolve: isHeld } = Promise.withResolvers<void>()
      const holding = inB(() =>
        locks.request('conformance', async () => {
          isHeld()
          await resolvedByB()
        }),
      )
      await held
      const saw = told((tell) => inA(() => locks.request('conformance', wrapped(tell))))
      await holding
      return saw
    }),
  ],
}

/** The Web Locks API, which the types of Node 22 do not have. */
interface Locks {
  request(name: string, callback: () => unknown): Promise<unknown>
}
