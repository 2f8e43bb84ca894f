/*
 * What a Cluster refuses that a Release needs: the platform's own writes, or the Instances that a Deployment makes. There is no
 * Instance then that could say what is wrong, so the Release does, with what is to be done. It goes on by itself afterwards.
 */
import { KubeError } from '@slipway/kube'

import { labels } from './manifests.ts'
import type { Reason } from './model.ts'
import type { Seen } from './observe.ts'

const PROBLEM_LENGTH_MAX = 300
/** In the words of Kubernetes; the first that fits. */
const kinds: readonly (readonly [code: string, words: RegExp])[] = [
  ['refused_ending', /being terminated|NamespaceTerminating/u],
  ['refused_quota', /exceeded quota|failed quota|(?:maximum|minimum) (?:cpu|memory) usage per/u],
  ['refused_pod_security', /violates PodSecurity/u],
  ['refused_webhook', /admission webhook|failed calling webhook|ValidatingAdmissionPolicy/u],
]
const OTHER = 'refused_otherwise'
const codes = new Set([...kinds.map(([code]) => code), OTHER])

export function refusalOf(message: string): Reason {
  const code = kinds.find(([, words]) => words.test(message))?.[0] ?? OTHER
  return { code, params: { problem: message.slice(0, PROBLEM_LENGTH_MAX) } }
}

export function isRefusal(reason: Reason | null): boolean {
  return reason !== null && codes.has(reason.code)
}

/** What a failed write says; undefined when the Cluster did not refuse, but was not reached or lost the write. */
export function refusalIn(thrown: unknown): Reason | undefined {
  if (!(thrown instanceof KubeError)) return undefined
  const refusal = refusalOf(thrown.message)
  // A webhook that does not answer is an error of the server by its code, and a refusal by its effect.
  const isMeant = [400, 403, 404, 413, 422].includes(thrown.code) || refusal.code !== OTHER
  return isMeant ? refusal : undefined
}

/** Why Instances of a version do not even come to be. */
export function refusedInstances(seen: Seen, hash: string): Reason | undefined {
  const failure = seen.objects
    .flatMap((one) => (one.resource === 'deployments' ? [one.object] : []))
    .filter(({ metadata }) => metadata.labels?.[labels.version] === hash)
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  return failure === undefined ? undefined : refusalOf(failure.message ?? failure.reason ?? '')
}
