import { setTimeout as sleep } from 'node:timers/promises'

import { median, quantile, takeTurns } from '../measure.ts'
import { load } from './load.ts'
import type { Subject } from './subjects.ts'
import type { Work } from './work.ts'

/** One kind of load on one service; medians of the rounds. */
export interface Result {
  readonly subject: Subject
  readonly path: string
  readonly connections: number
  /** Requests per second. */
  readonly rate: number
  /** ms. */
  readonly p50: number
  readonly p99: number
  readonly meanBatchSize: number
  /** Of all its processes, in ms per request. */
  readonly cpu: number
}

export interface Idle {
  readonly subject: Subject
  /** Share of a core. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
}

/** Of the loads, in s. */
export interface Durations {
  readonly rounds: number
  readonly load: number
  readonly warmUp: number
  readonly idle: number
}

type Load = Pick<Result, 'subject' | 'path' | 'connections'>
type Round = Omit<Result, keyof Load>

/** All services take turns at all loads. */
export async function compare(
  work: Work,
  subjects: readonly Subject[],
  durations: Durations,
): Promise<Result[]> {
  const loads = subjects.flatMap(loadsOf)
  for (const subject of subjects) {
    await measure(work, { subject, path: '/predict', connections: 64 }, durations.warmUp)
  }
  const rounds = await takeTurns(loads, durations.rounds, (each) =>
    measure(work, each, durations.load),
  )
  return loads.map((each, index) => {
    const own = rounds[index] ?? []
    const medianOf = (key: keyof Round): number => median(own.map((one) => one[key]))
    return {
      ...each,
      rate: medianOf('rate'),
      p50: medianOf('p50'),
      p99: medianOf('p99'),
      meanBatchSize: medianOf('meanBatchSize'),
      cpu: medianOf('cpu'),
    }
  })
}

function loadsOf(subject: Subject): Load[] {
  const loads = [1, 64, 256].map((connections) => ({ subject, path: '/predict', connections }))
  if (subject.library === 'Heddle') loads.unshift({ subject, path: '/unbatched', connections: 1 })
  return loads
}

async function measure(
  work: Work,
  { subject: { service }, path, connections }: Load,
  duration: number,
): Promise<Round> {
  service.wake()
  const before = await service.usage()
  const seen = await load(`${service.url}${path}`, work, connections, duration)
  const after = await service.usage()
  service.pause()
  return {
    rate: seen.count / seen.duration,
    p50: quantile(seen.latencies, 0.5),
    p99: quantile(seen.latencies, 0.99),
    meanBatchSize: seen.meanBatchSize,
    cpu: (after.cpu - before.cpu) / seen.count,
  }
}

/** What a service takes when nobody asks. */
export async function idle(subject: Subject, duration: number): Promise<Idle> {
  const { service } = subject
  service.wake()
  const before = await service.usage()
  await sleep(duration * 1e3)
  const { cpu, memory } = await service.usage()
  service.pause()
  return { subject, cpu: (cpu - before.cpu) / (duration * 1e3), memory }
}
