import type { Stored } from '../../model.ts'
import { isActive, type Pod } from '../pods.ts'

type Job = Stored<'jobs'>

export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index'

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed'
}

/** The completion index a pod works on. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_ANNOTATION]
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

/** The indexes that the status names as complete, from text such as `0,2-4`. */
export function completedIndexes(job: Job): readonly number[] {
  const completions = job.spec?.completions ?? 0
  return (job.status?.completedIndexes ?? '').split(',').flatMap((range) => {
    const match = /^([0-9]{1,9})(?:-([0-9]{1,9}))?$/.exec(range)
    if (!match) return []
    const from = Number(match[1])
    const to = Math.min(Number(match[2] ?? match[1]), completions - 1)
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, offset) => from + offset)
  })
}

/** Indexes as the status carries them: `0,2-4`. */
export function indexText(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const ranges: string[] = []
  for (let start = 0; start < sorted.length;) {
    let end = start
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end += 1
    ranges.push(start === end ? `${sorted[start]}` : `${sorted[start]}-${sorted[end]}`)
    start = end + 1
  }
  return ranges.join(',')
}

/** The indexes that are neither complete nor being worked on, lowest first. */
export function missingIndexes(
  job: Job,
  complete: ReadonlySet<number>,
  pods: readonly Pod[],
): readonly number[] {
  const busy = new Set(pods.filter(isActive).map(indexOf))
  const all = Array.from({ length: job.spec?.completions ?? 0 }, (_, index) => index)
  return all.filter((index) => !complete.has(index) && !busy.has(index))
}
