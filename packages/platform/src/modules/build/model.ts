import type { AppManifest, BuildState, WorkloadTemplate } from '@slipway/contract'
import { GIB } from '@slipway/kit'

export type Language = 'node' | 'python' | 'java' | 'static'

/** What one build may take. */
export type BuildLimits = {
  /** As Kubernetes writes sizes. */
  readonly memory: string
  readonly disk: string
  readonly processes: number
}

export type Reason = {
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

/** What the Job said before it ended unhappily. */
export type Report = { readonly phase: string; readonly exitCode: number; readonly message: string }

/** One run from a commit to an Image. */
export type Build = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly applicationId: string
  /** Counts up within the Application; the Image's tag is `build-<number>`. */
  readonly number: number
  readonly ref: string
  readonly commit: string
  /** Only such a build writes the cache. */
  readonly isDefaultBranch: boolean
  readonly clusterId: string
  readonly namespace: string
  readonly state: BuildState
  /** Jobs made so far; a Job that was lost without the project's fault is tried once more. */
  readonly attempt: number
  readonly manifest: AppManifest | null
  readonly language: Language | null
  readonly base: string | null
  readonly template: WorkloadTemplate | null
  readonly jobMade: boolean
  /** The Job has fetched its source once; its address holds no longer. */
  readonly sourceTaken: boolean
  readonly isolation: string | null
  readonly progress: string
  readonly report: Report | null
  /** `<repository>@<digest>` */
  readonly image: string | null
  readonly reason: Reason | null
  readonly cancelRequested: boolean
  readonly cleaned: boolean
  readonly generation: number
  readonly createdBy: string
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

const ended: ReadonlySet<BuildState> = new Set(['Succeeded', 'Failed', 'Cancelled'])

export function isEnded(state: BuildState): boolean {
  return ended.has(state)
}

/** Builds that take a place: at once per Project, and in all. */
export const BUILDS_PER_PROJECT = 2
export const BUILDS_IN_ALL = 4
export const QUEUE_PER_PROJECT = 50
export const ATTEMPTS_MAX = 2
export const LOG_DAYS = 30
/** The cache of one Application, and all caches together. */
export const CACHE_MAX_BYTES = 2 * GIB
export const CACHES_MAX_BYTES = 20 * GIB

export function jobNameOf(build: Pick<Build, 'id' | 'attempt'>): string {
  return `${build.id.replace('_', '-')}-${build.attempt}`
}
