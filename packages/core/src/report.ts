import { runNeutral } from '@heddle/context'
import { clock, enterResource, handleRejection, warn } from '@heddle/context/engine'

import { Extras } from './extras.ts'
import { callHook, type Instrument } from './instrument.ts'
import type { Item, Outcome } from './item.ts'
import { Channel } from './streams/channel.ts'
import type { ItemTiming } from './types.ts'

/** Tells the instruments of a submit, in the caller's context. */
export function noteSubmit(
  item: Item<any, any>,
  instruments: readonly Instrument[],
  batcher: string,
  queueSize: number,
): void {
  const submitted = { batcher, submittedAt: item.submittedAt, queueSize }
  const extras = item.extend()
  extras.instruments = instruments
  extras.notes = instruments.map((instrument) =>
    callHook(instrument, 'onSubmit', (hooks) => hooks.onSubmit?.(submitted)),
  )
}

/** Whether somebody wants to know how it went. */
export function isWatched({ options, extras }: Item<any, any>): boolean {
  return options?.onTiming !== undefined || (extras !== undefined && extras.instruments.length > 0)
}

/** Tells the caller's `onTiming` and the instruments, before the caller's `await` goes on. */
export function reportSettled<O>(item: Item<any, O>, batcher: string, outcome: Outcome<O>): void {
  const { instruments, notes, attachment } = item.extras ?? NOTHING
  const onTiming = item.options?.onTiming
  const { submittedAt } = item
  const settledAt = clock.now()
  const timing = timingOf(item, settledAt)
  if (onTiming && timing) {
    // Its own copy where others have one: a hook that writes into it must not change the caller's.
    const given = instruments.length === 0 ? timing : { ...timing }
    callOnTiming(item, batcher, () => onTiming(given))
  }
  if (instruments.length === 0) return
  const settled = {
    batcher,
    outcome: outcome.status,
    submittedAt,
    settledAt,
    ...(outcome.status === 'rejected' ? { error: outcome.reason, kind: outcome.kind } : {}),
    ...(timing ? { timing } : {}),
    ...(attachment instanceof Channel ? { stream: attachment.progress } : {}),
  }
  runNeutral(() => {
    for (const [index, instrument] of instruments.entries()) {
      callHook(instrument, 'onSettle', (hooks) => hooks.onSettle?.(settled, notes[index]))
    }
  })
}

const NOTHING: Pick<Extras<any, any>, 'instruments' | 'notes' | 'attachment'> = new Extras()

function timingOf(item: Item<any, any>, settledAt: number): ItemTiming | undefined {
  const { execution, submittedAt } = item
  return (
    execution && {
      batchId: execution.id,
      batchSize: execution.size,
      reason: execution.reason,
      queued: Math.max(0, execution.startedAt - submittedAt),
      ran: settledAt - Math.max(execution.startedAt, submittedAt),
    }
  )
}

function callOnTiming(item: Item<any, any>, batcher: string, call: () => unknown): void {
  const report = (error: unknown): void =>
    warn('CALLBACK_FAILED', batcher, `\`onTiming\` of batcher \`${batcher}\` threw`, error)
  try {
    handleRejection(enterResource(item, call), report)
  } catch (error) {
    report(error)
  }
}
