/* The walk of kills of `e2e/journey/kills.ts`, with its figures kept. `--count 50`, `--seed <n>`. */
import { parseArgs } from 'node:util'

import { runKills, summaryOf } from '../e2e/journey/kills.ts'
import { publish } from './report.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '50' }, seed: { type: 'string' } },
})
const outcome = await runKills({
  count: Number(values.count),
  seed: Number(values.seed ?? Date.now() % 100_000),
  say: (line) => console.error(line),
})
const rows = Object.entries(summaryOf(outcome))
if (outcome.fault !== undefined || outcome.orphans.length > 0) {
  for (const [what, value] of rows) console.log(`${what}: ${value}`)
  console.error(...outcome.orphans, outcome.fault ?? '')
  process.exit(1)
}
publish({
  name: 'kills',
  notes: [
    'SIGKILL to launcher, platform, embedded cluster and PostgreSQL at one random moment of a release or a rollback of 4 Instances (1, person, 25 %, person, rest); a power loss takes the Instances too. Then the product is started again on the same data folder.',
    'Each time the release has to come to its right end with the right version serving, and the cluster has to run what was asked for exactly once.',
    'The time includes the start of the product, the person, who answers twice, and a command that the death cut off and that is given again.',
  ],
  tables: [{ title: 'One walk', columns: ['', 'figure'], rows }],
})
