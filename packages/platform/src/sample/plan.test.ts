import { expect, test } from 'vitest'

import { planSample, troubleOf, type SampleFacts, type SampleStep } from './plan.ts'

const seeded: SampleFacts = { seeded: 'wrk_1', hasWorkload: true, build: 'none', release: 'none' }

const cases: [when: string, facts: SampleFacts, step: SampleStep][] = [
  ['nothing was ever made', { ...seeded, seeded: undefined, hasWorkload: false }, 'seed'],
  ['it was seeded', seeded, 'build'],
  ['its build runs', { ...seeded, build: 'running' }, 'wait'],
  ['its build succeeded', { ...seeded, build: 'succeeded' }, 'release'],
  ['its build failed: a person looks', { ...seeded, build: 'failed' }, 'done'],
  ['its release is under way', { ...seeded, build: 'succeeded', release: 'running' }, 'wait'],
  ['its release failed: a person looks', { ...seeded, build: 'succeeded', release: 'failed' }, 'done'],
  ['it was released', { ...seeded, build: 'succeeded', release: 'served' }, 'done'],
  ['a person released something else first', { ...seeded, release: 'served' }, 'done'],
  ['a person deleted it', { ...seeded, hasWorkload: false }, 'done'],
  ['a person deleted it while it was built', { ...seeded, hasWorkload: false, build: 'succeeded' }, 'done'],
  ['the names were taken', { ...seeded, seeded: '', hasWorkload: false }, 'done'],
]
test.each(cases)('%s', (_, facts, step) => expect(planSample(facts)).toBe(step))

const troubles: [when: string, facts: SampleFacts, trouble: 'build' | 'release' | undefined][] = [
  ['its build runs', { ...seeded, build: 'running' }, undefined],
  ['its build failed', { ...seeded, build: 'failed' }, 'build'],
  ['a person builds it again', { ...seeded, build: 'running', release: 'none' }, undefined],
  ['its release failed', { ...seeded, build: 'succeeded', release: 'failed' }, 'release'],
  ['a later release runs', { ...seeded, build: 'succeeded', release: 'running' }, undefined],
  ['it serves, and a later build failed', { ...seeded, build: 'failed', release: 'served' }, undefined],
  ['a person deleted it', { ...seeded, hasWorkload: false, build: 'failed' }, undefined],
]
test.each(troubles)('what is wrong when %s', (_, facts, trouble) => expect(troubleOf(facts)).toBe(trouble))
