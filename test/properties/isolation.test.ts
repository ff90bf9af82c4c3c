import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Actor } from './actor.ts'
import { Batchers } from './batchers.ts'
import { Passing } from './passing.ts'
import { type Program, program, type Theme } from './program.ts'
import { type Play, Stage } from './stage.ts'
import { outside } from './world.ts'

/** The same programs in every run; `FC_SEED=1` gives others, and repeats a failure. */
const seed = Number(process.env['FC_SEED'] ?? 20_261_123)

/** Plays a program, and returns what it has shown. */
async function played(given: Program): Promise<Stage> {
  const stage = new Stage(given)
  const play: Play = (body, place) => actor.play(body, place)
  const batchers = new Batchers(stage, given, play)
  const actor = new Actor(stage, batchers, new Passing(stage, play))
  using _ = stage.instrument()
  const everybody = async (): Promise<void> => {
    await Promise.all(
      given.requests.map((body) => actor.request(body, outside, ['tenant', 'region', 'note'])),
    )
    await stage.end()
  }
  await stage.loom.weave(everybody())
  return stage
}

describe(`nobody sees anything of anybody else, seed ${seed}`, () => {
  // 100,000 steps in all; how many a program takes depends on the seed, but not that much.
  it.each<readonly [themes: readonly Theme[], programs: number, steps: number]>([
    [['scopes'], 80, 20_000],
    [['scopes', 'batches'], 65, 30_000],
    [['scopes', 'passing'], 95, 20_000],
    [['scopes', 'batches', 'passing'], 70, 30_000],
  ])('in programs of %j', async (themes, programs, least) => {
    let steps = 0
    let looks = 0
    await fc.assert(
      fc.asyncProperty(program(...themes), async (given) => {
        const { witness, batchers } = await played(given)
        steps += witness.steps
        looks += witness.looks
        expect(witness.violations).toEqual([])
        for (const batcher of batchers) {
          expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
        }
      }),
      { seed, numRuns: programs },
    )
    expect(steps).toBeGreaterThanOrEqual(least)
    // Each step is followed by a look, and most of what it calls looks, too.
    expect(looks).toBeGreaterThan(steps)
  })
})
