import { styleText } from 'node:util'

import Table from 'cli-table3'

import type { Measurement } from './measure.ts'

/** The app without Heddle, with it, and with DataLoader in its place. */
export interface Measurements {
  readonly before: Measurement
  readonly after: Measurement
  readonly dataloader: Measurement
}

export function table({ before, after }: Measurements): string {
  const output = new Table({
    head: ['', 'before', 'after', 'gain'].map((name) => styleText('bold', name)),
    colAligns: ['left', 'right', 'right', 'right'],
    // Its own colours do not ask whether this is a terminal.
    style: { head: [], border: [], compact: true },
  })
  const row = (
    name: string,
    get: (measurement: Measurement) => number,
    format: (value: number) => string,
    gain?: 'higher' | 'lower',
  ): void => {
    const [old, now] = [get(before), get(after)]
    const ratio = gain === 'higher' ? now / old : old / now
    output.push([name, format(old), format(now), gain ? `${ratio.toFixed(1)} ×` : ''])
  }
  row('requests/s', (m) => m.requestsPerSecond, whole, 'higher')
  row('p50', (m) => m.p50, milliseconds, 'lower')
  row('p99', (m) => m.p99, milliseconds, 'lower')
  row(
    'mean batch size',
    (m) => m.meanBatchSize,
    (value) => value.toFixed(1),
  )
  row('requests answered', (m) => m.requests, whole)
  row('queries sent', (m) => m.queries, whole)
  row(
    'CPU per request',
    (m) => m.cpuPerRequest,
    (value) => `${whole(value)} µs`,
    'lower',
  )
  return output.toString()
}

export function checks({ before, after, dataloader }: Measurements): string {
  const lines = [
    'Did every answer belong to its own request, with its city, tenant and request id?',
    check('before', before, before.mismatches === 0),
    check('after', after, after.mismatches === 0),
    check('DataLoader', dataloader, false),
    '',
    'DataLoader runs its batch function in the context of the caller that happened to be first, so',
    "everybody else in the batch gets that tenant's rows. For example:",
    ...dataloader.examples.slice(0, 1).map((example) => styleText('dim', `  ${example}`)),
  ]
  return lines.join('\n')
}

function check(name: string, measurement: Measurement, isRight: boolean): string {
  const { requests, mismatches, errors } = measurement
  const count = `${whole(mismatches)} wrong of ${whole(requests)}`
  const failed = errors > 0 ? `, ${whole(errors)} failed` : ''
  const mark = isRight && errors === 0 ? styleText('green', '✔') : styleText('red', '✘')
  return `  ${mark} ${name.padEnd(10)}  ${count}${failed}`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`
}
