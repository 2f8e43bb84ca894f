import type { Stored } from '../../model.ts'
import type { Pod } from '../pods.ts'

type Job = Stored<'jobs'>
type Rule = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>['rules'][number]

/** What a Job's podFailurePolicy makes of a failed pod: it fails the Job, is overlooked, or counts as without a policy. */
export type FailureVerdict =
  | { readonly kind: 'fail-job'; readonly message: string }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'count' }

/** Applies the first rule that matches. `FailIndex` counts, since limits per index are not kept. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? []
  for (const [index, rule] of rules.entries()) {
    const why = matchOf(rule, pod)
    if (why === undefined) continue
    if (rule.action === 'FailJob')
      return { kind: 'fail-job', message: `${why} matching FailJob rule at index ${index}` }
    return { kind: rule.action === 'Ignore' ? 'ignore' : 'count' }
  }
  return { kind: 'count' }
}

/** What made the rule match, in the words of the real controller; undefined when it does not. */
function matchOf(rule: Rule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`
  const codes = rule.onExitCodes
  if (codes) {
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    for (const status of statuses) {
      const exitCode = status.state?.terminated?.exitCode
      const isNamed = codes.containerName === undefined || codes.containerName === status.name
      if (exitCode === undefined || exitCode === 0 || !isNamed) continue
      if (codes.values.includes(exitCode) === (codes.operator === 'In'))
        return `Container ${status.name} for pod ${name} failed with exit code ${exitCode}`
    }
    return undefined
  }
  const condition = pod.status?.conditions?.find((one) =>
    rule.onPodConditions?.some(({ type, status }) => type === one.type && (status ?? 'True') === one.status),
  )
  return condition && `Pod ${name} has condition ${condition.type}`
}
