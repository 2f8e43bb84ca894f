import { expect, test } from 'vitest'

import { planSample, type SampleFacts, type SampleStep } from './plan.ts'

const seeded: SampleFacts = { seeded: 'wrk_1', hasWorkload: true, build: 'none', hasRelease: false }

const cases: [when: string, facts: SampleFacts, step: SampleStep][] = [
  ['nothing was ever made', { ...seeded, seeded: undefined, hasWorkload: false }, 'seed'],
  ['it was seeded', seeded, 'build'],
  ['its build runs', { ...seeded, build: 'running' }, 'wait'],
  ['its build succeeded', { ...seeded, build: 'succeeded' }, 'release'],
  ['its build failed: a person looks', { ...seeded, build: 'failed' }, 'done'],
  ['it was released', { ...seeded, build: 'succeeded', hasRelease: true }, 'done'],
  ['a person released something else first', { ...seeded, hasRelease: true }, 'done'],
  ['a person deleted it', { ...seeded, hasWorkload: false }, 'done'],
  ['a person deleted it while it was built', { ...seeded, hasWorkload: false, build: 'succeeded' }, 'done'],
  ['the names were taken', { ...seeded, seeded: '', hasWorkload: false }, 'done'],
]
test.each(cases)('%s', (_, facts, step) => expect(planSample(facts)).toBe(step))
