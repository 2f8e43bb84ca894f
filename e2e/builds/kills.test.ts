import { afterAll, beforeAll, expect, test } from 'vitest'

import { openYard, type Yard } from './kills.ts'

const KILLS = 5

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard[Symbol.asyncDispose]())

test('whichever write of a build the platform is killed at, the build succeeds with one Job and one Image', async () => {
  const seed = Number(process.env['SLIPWAY_KILLS_SEED'] ?? Math.floor(Math.random() * 100_000))
  const writes = await yard.countWrites()
  process.stderr.write(`${KILLS} kills among ${writes} writes, seed ${seed}\n`)
  expect(writes).toBeGreaterThan(8)
  for (let kill = 0; kill < KILLS; kill += 1) {
    // Spread over the whole life, at another place in each run.
    const nth = 1 + ((seed + Math.floor((kill * writes) / KILLS)) % writes)
    const moment = (seed + kill) % 2 === 0 ? 'before' : 'after'
    await yard.killAt({ nth, moment })
    process.stderr.write(`killed ${moment} write ${nth}\n`)
  }
})
