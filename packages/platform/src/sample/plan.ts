/*
 * The sample is seeded once in the life of an installation, in one transaction that also writes down which Workload it made.
 * From then on its objects belong to the people: what they delete or change is never made again. Only the first build and the
 * first release are still ours, each started when it has never been, so that a start that was killed goes on where it was.
 */

/** What is known of the sample. */
export type SampleFacts = {
  /** What was written down at the seeding: a Workload's id, or empty when there was nothing to make; undefined before. */
  readonly seeded: string | undefined
  /** Whether that Workload is there and nobody deletes it. */
  readonly hasWorkload: boolean
  /** The newest build of its Application. */
  readonly build: 'none' | 'running' | 'succeeded' | 'failed'
  /** The newest Release of the Workload; `served` once any of them has carried the traffic. */
  readonly release: 'none' | 'running' | 'served' | 'failed'
}

export type SampleStep = 'seed' | 'build' | 'wait' | 'release' | 'done'

/** Decides the next step towards a running sample. Pure. */
export function planSample({ seeded, hasWorkload, build, release }: SampleFacts): SampleStep {
  if (seeded === undefined) return 'seed'
  if (!hasWorkload || release === 'served' || release === 'failed') return 'done'
  return release === 'running' ? 'wait' : afterBuild[build]
}

const afterBuild: Readonly<Record<SampleFacts['build'], SampleStep>> = {
  none: 'build',
  running: 'wait',
  succeeded: 'release',
  // Its log says why; trying again is for a person.
  failed: 'done',
}

/** What keeps the sample from answering although nothing is under way: a person has to look. Pure. */
export function troubleOf({ hasWorkload, build, release }: SampleFacts): 'build' | 'release' | undefined {
  if (!hasWorkload || release === 'served') return undefined
  if (release === 'failed') return 'release'
  return release === 'none' && build === 'failed' ? 'build' : undefined
}
