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
  /** Whether the Workload ever had a Release. */
  readonly hasRelease: boolean
}

export type SampleStep = 'seed' | 'build' | 'wait' | 'release' | 'done'

/** Decides the next step towards a running sample. Pure. */
export function planSample({ seeded, hasWorkload, build, hasRelease }: SampleFacts): SampleStep {
  if (seeded === undefined) return 'seed'
  if (!hasWorkload || hasRelease) return 'done'
  return afterBuild[build]
}

const afterBuild: Readonly<Record<SampleFacts['build'], SampleStep>> = {
  none: 'build',
  running: 'wait',
  succeeded: 'release',
  // Its log says why; trying again is for a person.
  failed: 'done',
}
