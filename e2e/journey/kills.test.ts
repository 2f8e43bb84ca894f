import { expect, test } from 'vitest'

import { runKills } from './kills.ts'

const KILLS = 10

test(
  'whenever the whole product is killed, every release comes to its right end and nothing is doubled or left',
  { timeout: 900_000 },
  async () => {
    const seed = Number(process.env['SLIPWAY_KILLS_SEED'] ?? Math.floor(Math.random() * 100_000))
    const outcome = await runKills({
      count: KILLS,
      seed,
      say: (line) => void process.stderr.write(`${line}\n`),
    })
    expect(outcome).toMatchObject({ fault: undefined, orphans: [], doubledSteps: 0, kills: KILLS })
  },
)
