import { platform } from '@heddle/context/engine'
import type { HrTime } from '@opentelemetry/api'

/** ms. `Date.now()` counts whole ones, so less than this is no difference. */
const TOLERANCE = 2

let origin = platform.timeOrigin

/**
 * The wall-clock time, ms since 1970, at which `performance.now()` was 0. It moves when the wall clock
 * is set or the machine has slept, so spans that belong together take it once.
 *
 * The SDK would convert numbers of `performance.now()` by itself, but with an error of up to 1 ms that
 * differs from span to span: a `wait` could end after its `execute` starts.
 */
export function clockOrigin(): number {
  if (isOff(measure())) {
    // A thread that loses the processor between the two clocks measures too little, so the most counts.
    const measured = Math.max(measure(), measure(), measure())
    if (isOff(measured)) origin = measured
  }
  return origin
}

/** Whole µs since 1970, as Jaeger counts; `time` in ms on the `performance.now()` clock. */
export function toMicros(clock: number, time: number): number {
  return Math.round((clock + time) * 1000)
}

/** As the SDK takes it without a conversion. */
export function toHrTime(micros: number): HrTime {
  return [Math.floor(micros / 1e6), (micros % 1e6) * 1000]
}

function measure(): number {
  // As the SDK reads it at this moment for other spans, also where a test has replaced `Date`.
  return Date.now() - platform.now()
}

function isOff(measured: number): boolean {
  return Math.abs(measured - origin) > TOLERANCE
}
