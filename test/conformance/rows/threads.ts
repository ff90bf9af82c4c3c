// oxlint-disable unicorn/require-post-message-target-origin -- the ports of threads have no origin
import { once } from 'node:events'
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads'

import { toCarrier } from '@heddle/context'

import { inCarriedA } from '../fixtures/carried.ts'
import { listener, listenerOfB, type Mend } from '../mends.ts'
import { inA, inB, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const issues = ['oven-sh/bun#32805', 'oven-sh/bun#42593']
const PORT =
  'A message comes from elsewhere, so the only context with a claim is that of whoever listens. The runtimes do not agree on it.'

const carried: Mend<() => unknown> = {
  name: 'toCarrier, runCarrier',
  gives: 'A',
  without: () => undefined,
  by: () => toCarrier(),
}

function startWorker(): Worker {
  return new Worker(new URL('../fixtures/worker.ts', import.meta.url))
}

/** Waits for the end of the worker, so that none is left over. */
async function withWorker(
  start: () => Worker,
  use: (worker: Worker) => Promise<string>,
): Promise<string> {
  const worker = start()
  try {
    return await use(worker)
  } finally {
    await worker.terminate()
  }
}

export const threads: Group = {
  title: 'Threads and channels',
  rows: [
    mendedRow(
      'code inside a `Worker`, asked by A',
      '∅',
      { ...carried },
      (carrier) =>
        withWorker(startWorker, async (worker) => {
          inA(() => inCarriedA(() => worker.postMessage(carrier())))
          const [answer] = (await once(worker, 'message')) as [string]
          return answer
        }),
      {
        why: 'A context does not cross a thread by itself; a carrier takes the keys that allow it.',
      },
    ),
    mendedRow(
      '`Worker` of A: `message` listener of A, asked by B',
      'A',
      listener,
      (wrapped) =>
        withWorker(
          () => inA(startWorker),
          (worker) =>
            told((tell) => {
              inA(() => worker.once('message', wrapped(tell)))
              inB(() => worker.postMessage(undefined))
            }),
        ),
      { issues, why: PORT },
    ),
    mendedRow(
      '`Worker` of B, from a pool: `message` listener of A',
      'A',
      listener,
      (wrapped) =>
        withWorker(
          () => inB(startWorker),
          (worker) =>
            told((tell) => {
              inA(() => worker.once('message', wrapped(tell)))
              inA(() => worker.postMessage(undefined))
            }),
        ),
      { issues },
    ),
    row('`Worker` of B, from a pool: answer awaited by A', 'A', () =>
      withWorker(
        () => inB(startWorker),
        (worker) =>
          told((tell) =>
            inA(() => {
              worker.postMessage(undefined)
              return once(worker, 'message').then(tell)
            }),
          ),
      ),
    ),
    mendedRow(
      '`Worker` of B: `exit` listener of A',
      'A',
      listener,
      (wrapped) =>
        withWorker(
          () => inB(startWorker),
          (worker) =>
            told((tell) => {
              inA(() => worker.once('exit', wrapped(tell)))
              worker.once('message', () => void inB(() => worker.terminate()))
              worker.postMessage(undefined)
            }),
        ),
      { issues },
    ),
    mendedRow(
      '`MessagePort`: listener of A, posted by B',
      'A',
      listener,
      async (wrapped) => {
        const { port1, port2 } = new MessageChannel()
        const saw = told((tell) => inA(() => port1.on('message', wrapped(tell))))
        inB(() => port2.postMessage('message'))
        return saw.finally(() => port1.close())
      },
      { issues: ['oven-sh/bun#32805'] },
    ),
    mendedRow(
      '`MessageChannel` of A: listener of B, posted by nobody',
      'B',
      listenerOfB,
      async (wrapped) => {
        const { port1, port2 } = inA(() => new MessageChannel())
        const saw = told((tell) => inB(() => port1.on('message', wrapped(tell))))
        port2.postMessage('message')
        return saw.finally(() => port1.close())
      },
      { issues: ['oven-sh/bun#32805'] },
    ),
    mendedRow(
      '`BroadcastChannel` of A: listener of A, posted by B',
      'A',
      listener,
      async (wrapped) => {
        const sender = inB(() => new BroadcastChannel('conformance'))
        const receiver = inA(() => new BroadcastChannel('conformance'))
        const saw = told((tell) => inA(() => receiver.addEventListener('message', wrapped(tell))))
        inB(() => sender.postMessage('message'))
        return saw.finally(() => {
          sender.close()
          receiver.close()
        })
      },
      { issues: ['oven-sh/bun#32805'] },
    ),
  ],
}
