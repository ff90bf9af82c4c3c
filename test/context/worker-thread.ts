/** The worker of worker.test.ts: works for each call in the context that came with it, and answers by id. */
import { parentPort } from 'node:worker_threads'

import { type Carrier, current, runCarrier } from '@heddle/context'

import { local, tenant } from './worker-keys.ts'

export type Task = 'look' | 'wait for the deadline'

export interface Call {
  readonly id: number
  readonly carrier: Carrier
  readonly task: Task
}

export interface Answer {
  readonly id: number
  /** What the work saw, at its start and after it had waited. */
  readonly seen: readonly Seen[]
  /** ms that were left to the deadline when the work started. */
  readonly left: number | undefined
  /** The name of the reason why its scope was aborted. */
  readonly aborted: string | undefined
}

export interface Seen {
  readonly scope: string
  readonly tenant: string | undefined
  readonly local: string | undefined
}

const look = (): Seen => ({ scope: current().id, tenant: tenant.get(), local: local.get() })

/** Those that wait, so that a later call is answered before an earlier one. */
const waiting: (() => void)[] = []

parentPort?.on('message', (call: Call | 'go on') => {
  if (call === 'go on') for (const goOn of waiting.splice(0).toReversed()) goOn()
  else void runCarrier(call.carrier, () => work(call))
})

async function work({ id, task }: Call): Promise<void> {
  const { deadline, signal } = current()
  const seen = [look()]
  const left = deadline === undefined ? undefined : deadline - performance.now()
  await new Promise<void>((resolve) => {
    if (task === 'look') waiting.push(resolve)
    else signal.addEventListener('abort', () => resolve())
  })
  seen.push(look())
  const reason: unknown = signal.reason
  const aborted = reason instanceof Error ? reason.name : undefined
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage({ id, seen, left, aborted } satisfies Answer)
}
