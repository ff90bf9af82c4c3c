import { table } from '../markdown.ts'
import type { ClosedCell } from './closed-loop.ts'
import { type Goal, goalsOf, type Measured } from './goals.ts'
import { AUTO, type Comparison, worst } from './open-loop.ts'
import type { RealClockResult } from './real-clock.ts'

/** A policy's ratio above which its queue never empties. */
const UNSTABLE = 20

export function report(measured: Measured, realClock: readonly RealClockResult[]): string {
  const { oneSlot, severalSlots, closed, overloads, neighbour } = measured
  return [
    'Goals:',
    table([['what', 'measured', 'goal', 'holds'], ...goalsOf(measured).map(goalRow)]),
    'One slot, the worst ratio to the bound over all loads, mean / p99:',
    openTable(oneSlot),
    'Several slots, the same:',
    openTable(severalSlots),
    'Clients that wait for their answers, requests/s as a share of the best fixed rule:',
    closedTable(closed),
    'Twice the traffic that a slot can do, each item with a deadline of 50 ms:',
    table([
      ['run times', 'goodput / capacity', 'run though the caller had gone', 'answered too late'],
      ...overloads.map(({ noise, goodput, wasted, late }) => [
        `± ${noise * 100} %`,
        goodput.toFixed(3),
        String(wasted),
        String(late),
      ]),
    ]),
    `A tenant beside one with 100 × its traffic: p99 ${neighbour.p99.toFixed(1)} ms, where a full batch takes ${neighbour.cycle} ms.`,
    'On the real clock, 16 clients, batches of 10 ms, requests/s (medians):',
    table([
      ['runtime', 'think time', 'natural', "`'auto'`", 'ratio', 'were timers exact'],
      ...realClock.map(({ runtime, think, natural, auto }) => [
        runtime,
        `${think} ms`,
        natural.toFixed(0),
        auto.toFixed(0),
        (auto / natural).toFixed(2),
        ((16 / (10 + think)) * 1e3).toFixed(0),
      ]),
    ]),
  ].join('\n\n')
}

function goalRow({ what, value, limit, holds }: Goal): readonly string[] {
  return [what, value.toFixed(3), String(limit), holds ? 'yes' : '**no**']
}

function openTable(comparisons: readonly Comparison[]): string {
  const titles = comparisons.map(({ scenario, slots }) =>
    slots === 1 ? scenario : `${slots} slots, ${scenario}`,
  )
  const policies = Object.keys(comparisons[0]?.cells[0]?.results ?? {})
  return table([
    ['arrivals', ...policies.map((policy) => (policy === AUTO ? `**${policy}**` : policy))],
    ...comparisons.map((comparison, n) => [
      titles[n] ?? '',
      ...policies.map((policy) => ratiosOf(comparison, policy)),
    ]),
  ])
}

function ratiosOf(comparison: Comparison, policy: string): string {
  const mean = worst(comparison, policy, 'mean')
  const p99 = worst(comparison, policy, 'p99')
  if (mean === undefined || p99 === undefined) return '–'
  return mean > UNSTABLE ? 'unstable' : `${mean.toFixed(2)} / ${p99.toFixed(2)}`
}

function closedTable(cells: readonly ClosedCell[]): string {
  const sizes = [...new Set(cells.map(({ clients }) => clients))]
  const thinks = [...new Set(cells.map(({ think }) => think))]
  return table([
    ['think time; natural / **`auto`**', ...sizes.map((size) => `${size} clients`)],
    ...thinks.map((think) => [
      think,
      ...cells
        .filter((cell) => cell.think === think)
        .map(({ natural, auto }) => `${natural.toFixed(2)} / ${auto.toFixed(2)}`),
    ]),
  ])
}
