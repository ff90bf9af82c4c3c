import { expect, it } from 'vitest'

import type { Span } from '../../test/e2e/support/spans.ts'
import { waterfall } from './waterfall.ts'

function span(name: string, start: number, end: number, attributes = {}): Span {
  return { traceId: 't', spanId: name, parent: undefined, links: [], name, start, end, attributes }
}

const request = {
  server: span('GET /cities/:id', 0, 12_000),
  wait: span('wait cities', 0, 3000),
  execute: span('execute cities', 3001, 11_000),
  batch: span('batch cities', 3001, 10_900, {
    'heddle.batch.size': 17,
    'heddle.batch.reason': 'idle',
  }),
}

it('draws each span on the scale of the request', () => {
  const text = waterfall(request, span('SELECT', 4000, 4001))
  expect(text.split('\n')).toEqual([
    `GET /cities/:id             12.00 ms  ${'─'.repeat(48)}`,
    `├ wait cities                3.00 ms  ${'░'.repeat(12)}`,
    `└ execute cities             8.00 ms  ${' '.repeat(12)}${'█'.repeat(32)}`,
    'its batch, with 16 other requests; it started because: idle',
    `batch cities                 7.90 ms  ${' '.repeat(12)}${'█'.repeat(32)}`,
    `└ SELECT                     0.00 ms  ${' '.repeat(16)}▒`,
  ])
})

it('has colours only where they are wanted', () => {
  expect(waterfall(request, undefined)).not.toContain('\u001B')
  expect(waterfall(request, undefined, { colours: true })).toContain('\u001B[')
})
