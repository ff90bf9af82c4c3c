import { randomFrom } from '../../test/support/random.ts'
import type { Draw } from './arrivals.ts'
import { durationsOf, MAX_BATCH_SIZE, type Result, resultOf, type Service } from './service.ts'

/**
 * A fixed rule: a batch starts when `size` items wait, or when for `wait` ms a slot has been free and an item
 * there. For bounds only: what Heddle does is measured on the real batcher, and this model is checked against it.
 */
export interface FixedRule {
  readonly size: number
  readonly wait: number
}

export const natural: FixedRule = { size: 1, wait: 0 }

interface Batch {
  readonly items: readonly Waiting[]
  readonly endsAt: number
}

interface Waiting {
  readonly submittedAt: number
}

/** Where items come from. */
interface Source {
  /** ms, Infinity when none is to come. */
  readonly nextAt: number
  take(): void
  answered(now: number): void
}

function simulate(
  source: Source,
  count: number,
  service: Service,
  slots: number,
  rule: FixedRule,
): Result {
  const durationOf = durationsOf(service)
  const latencies = new Float64Array(count)
  const times = new Float64Array(count)
  let queue: Waiting[] = []
  let running: Batch[] = []
  let slotFreeSince = 0
  let now = 0
  for (let answered = 0; answered < count;) {
    const first = running.reduce<Batch | undefined>(
      (best, batch) => (best && best.endsAt <= batch.endsAt ? best : batch),
      undefined,
    )
    const hasFreeSlot = running.length < slots
    const oldest = queue[0]
    // When nothing more can come, nothing is waited for.
    const wait = source.nextAt === Infinity && running.length === 0 ? 0 : rule.wait
    const lingered =
      hasFreeSlot && oldest ? Math.max(slotFreeSince, oldest.submittedAt) + wait : Infinity
    now = Math.max(now, Math.min(source.nextAt, first?.endsAt ?? Infinity, lingered))
    if (source.nextAt <= now) {
      source.take()
      queue.push({ submittedAt: now })
    } else if (first && first.endsAt <= now) {
      if (!hasFreeSlot) slotFreeSince = now
      running = running.filter((batch) => batch !== first)
      for (const { submittedAt } of first.items) {
        if (answered < count) {
          latencies[answered] = now - submittedAt
          times[answered] = now
        }
        answered += 1
        source.answered(now)
      }
    }
    // What comes or ends at the same moment is there first, as in a turn of the event loop.
    if (source.nextAt <= now || running.some(({ endsAt }) => endsAt <= now)) continue
    while (running.length < slots && queue[0]) {
      const since = Math.max(slotFreeSince, queue[0].submittedAt)
      if (queue.length < Math.min(rule.size, MAX_BATCH_SIZE) && now < since + wait) break
      const items = queue.slice(0, MAX_BATCH_SIZE)
      queue = queue.slice(MAX_BATCH_SIZE)
      running.push({ items, endsAt: now + durationOf(items.length) })
    }
  }
  return resultOf(latencies, times)
}

export function openModel(
  arrivals: Float64Array,
  service: Service,
  slots: number,
  rule: FixedRule,
): Result {
  let next = 0
  const source: Source = {
    get nextAt() {
      return arrivals[next] ?? Infinity
    },
    take: () => (next += 1),
    answered: () => {},
  }
  return simulate(source, arrivals.length, service, slots, rule)
}

export function closedModel(
  clients: number,
  think: Draw,
  answered: number,
  service: Service,
  rule: FixedRule,
): Result {
  const random = randomFrom(clients)
  const due = Array.from({ length: clients }, (_, n) => 5 * (n % 2) + think(random))
  due.sort((a, b) => a - b)
  const source: Source = {
    get nextAt() {
      return due[0] ?? Infinity
    },
    take: () => due.shift(),
    answered(now) {
      const at = now + think(random)
      due.splice(due.findLastIndex((other) => other <= at) + 1, 0, at)
    },
  }
  return simulate(source, answered, service, 1, rule)
}

/**
 * A window from the first item: a batch is formed when it closes, and waits for a slot. Nothing that waits
 * formed is merged, as where a tick, and not a free slot, ends a batch.
 *
 * @param window - ms
 */
export function earlyBound(arrivals: Float64Array, service: Service, window: number): Result {
  const durationOf = durationsOf(service)
  const latencies = new Float64Array(arrivals.length)
  const times = new Float64Array(arrivals.length)
  let slotFreeAt = 0
  for (let n = 0; n < arrivals.length;) {
    const first = arrivals[n] ?? 0
    let end = n
    while (
      end < arrivals.length &&
      end - n < MAX_BATCH_SIZE &&
      (arrivals[end] ?? 0) <= first + window
    ) {
      end += 1
    }
    const formedAt = end - n === MAX_BATCH_SIZE ? (arrivals[end - 1] ?? 0) : first + window
    slotFreeAt = Math.max(slotFreeAt, formedAt) + durationOf(end - n)
    for (; n < end; n += 1) {
      latencies[n] = slotFreeAt - (arrivals[n] ?? 0)
      times[n] = slotFreeAt
    }
  }
  return resultOf(latencies, times)
}
