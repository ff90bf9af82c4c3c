import { randomFrom } from '../../test/support/random.ts'

/** Times at which items arrive, ms, in their order: `count` of them, `rate` per ms in the long run. */
export type Arrivals = (rate: number, count: number, seed: number) => Float64Array

export type Draw = (random: () => number) => number

/** Draws from an exponential distribution. */
export function exponential(mean: number): Draw {
  return (random) => -Math.log(1 - random()) * mean
}

/** Each gap is drawn from one distribution. */
function renewal(gap: (rate: number) => Draw): Arrivals {
  return (rate, count, seed) => {
    const random = randomFrom(seed)
    const draw = gap(rate)
    let time = 0
    return Float64Array.from({ length: count }, () => (time += draw(random)))
  }
}

export const poisson: Arrivals = renewal((rate) => exponential(1 / rate))

export const regular: Arrivals = renewal((rate) => () => 1 / rate)

/** Gaps of very different lengths: half of them are a third of the mean at most. */
export const lognormal: Arrivals = renewal((rate) => {
  const sigma = 1.5
  const mu = -Math.log(rate) - sigma ** 2 / 2
  return (random) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.exp(mu + sigma * normal)
  }
})

/**
 * Bursts that begin at random.
 *
 * @param gap - ms between two of a burst
 */
export function bursts(size: number, gap: number): Arrivals {
  return (rate, count, seed) => {
    const starts = poisson(rate / size, Math.ceil(count / size), seed)
    const all = [...starts].flatMap((start) =>
      Array.from({ length: size }, (_, n) => start + n * gap),
    )
    return Float64Array.from(all).toSorted().slice(0, count)
  }
}

/** At random, but four times as many in the busy fifth of the time; a Markov-modulated Poisson process. */
export const onAndOff: Arrivals = (rate, count, seed) => {
  const random = randomFrom(seed)
  const lasts = { on: exponential(20), off: exponential(80) }
  const gaps = { on: exponential(1 / (4 * rate)), off: exponential(1 / (rate / 4)) }
  const times = new Float64Array(count)
  let state: 'on' | 'off' = 'on'
  let time = 0
  let changesAt = lasts.on(random)
  for (let n = 0; n < count;) {
    const gap = gaps[state](random)
    if (time + gap < changesAt) {
      time += gap
      times[n] = time
      n += 1
    } else {
      time = changesAt
      state = state === 'on' ? 'off' : 'on'
      changesAt = time + lasts[state](random)
    }
  }
  return times
}
