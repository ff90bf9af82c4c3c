/**
 * No promise that a batcher hands out becomes an unhandled rejection because the engine refused or ended
 * the work. An error of the batch function is an ordinary rejection.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { beforeAll, describe, expect, it } from 'vitest'

import type { Ends } from './unobserved/program.ts'

type Found = Readonly<Record<'refusals' | 'streams' | 'failures', Readonly<Record<string, Ends>>>>

/** ms in which a process starts and ends on a machine that is busy. */
const PATIENCE = 60_000

describe('a promise that nobody looks at', () => {
  let found: Found
  // In a process of its own: a test runner fails of its own accord where a rejection is unhandled.
  beforeAll(async () => {
    const program = join(import.meta.dirname, 'unobserved/program.ts')
    const env = { ...process.env, NODE_NO_WARNINGS: '1' }
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env })
    found = JSON.parse(stdout) as Found
  }, PATIENCE)

  it('is no unhandled rejection where the engine refused the submit, or ended it', () => {
    expect(found.refusals).toEqual({
      'aborted by its signal before': quiet('aborted'),
      'aborted by its scope before': quiet('aborted'),
      'the deadline of its scope has passed': quiet('DEADLINE_EXCEEDED'),
      'its scope has closed, and a partition key with it': quiet('BATCH_FAILED'),
      'aborted while it waits, while it runs, in a scope': quiet('aborted'),
      'the deadline passes while it waits, while it runs': quiet('DEADLINE_EXCEEDED'),
      'the queue is full, for all or for its tenant': quiet('QUEUE_FULL'),
      'the batcher is closed, or closes too early': quiet('BATCHER_CLOSED'),
      'the item costs too much': quiet('ITEM_TOO_LARGE'),
      'an option is invalid': quiet('INVALID_OPTION'),
      'a function of the options throws': quiet('BATCH_FAILED'),
      'a batch function submits to its own batcher': quiet('REENTRANT_SUBMIT', 'fulfilled'),
      'one of several that wait for the same leaves': quiet('aborted'),
      'the adapter of the protocol makes another error of it': quiet('INVALID_OPTION', 'aborted'),
      'all of `submitAll`, `drain` and `close`': quiet('BATCHER_CLOSED', 'aborted'),
    })
  })

  it('is no unhandled rejection where the engine refused the stream, or ended it', () => {
    expect(found.streams).toEqual({
      'refused: aborted, invalid, full, closed; asked then or later': quiet(
        'BATCHER_CLOSED',
        'INVALID_OPTION',
        'QUEUE_FULL',
        'aborted',
      ),
      'ended while somebody waits for a chunk: aborted, deadline, closed': quiet(
        'BATCHER_CLOSED',
        'DEADLINE_EXCEEDED',
        'aborted',
      ),
      'ended since its consumer is too slow, and asks then': quiet('DEADLINE_EXCEEDED'),
      'left by its consumer': quiet('aborted'),
      'bound to a context': quiet('aborted'),
    })
  })

  it('is one where the error is of the batch function, or of what it calls', () => {
    expect(found.failures).toEqual({
      'the batch function throws': unhandled(['BATCH_FAILED'], 'BATCH_FAILED', 'BATCH_FAILED'),
      'an item has an error of its own': unhandled(['item'], 'own', 'other'),
      'the batch function returns too little': unhandled(['RESULT_MISMATCH'], 'RESULT_MISMATCH'),
      'the merge function of a key throws': unhandled(['BATCH_FAILED'], 'BATCH_FAILED'),
      'a generator throws': unhandled(['BATCH_FAILED'], 'BATCH_FAILED'),
      'a stream has an error of its own': unhandled(['item'], 'own'),
      '`start` or `step` throws': unhandled(['BATCH_FAILED'], 'BATCH_FAILED', 'BATCH_FAILED'),
    })
  })
})

function quiet(...settled: string[]): Ends {
  return { settled, unhandled: [] }
}

function unhandled(settled: readonly string[], ...codes: string[]): Ends {
  return { settled, unhandled: codes }
}
