/* Where Instances may run, as the scheduler reads it. */
import { neighbourKey, type Neighbour, type Placement } from '@slipway/contract'
import { must } from '@slipway/kit'
import type { Objects } from '@slipway/kube'

import type { Workload } from '../app/index.ts'
import { PROCESS_LABEL, VERSION_LABEL, WORKLOAD_LABEL } from '../fleet/index.ts'
import type { Version } from './model.ts'

type PodSpec = NonNullable<NonNullable<Objects['deployments']['spec']>['template']['spec']>
type Affinity = NonNullable<PodSpec['affinity']>
type PodTerm = NonNullable<
  NonNullable<Affinity['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>[number]

/** What Instances that belong together are spread over, as labels of nodes. */
const topologyKeys = { host: 'kubernetes.io/hostname', zone: 'topology.kubernetes.io/zone' } as const

/** The part of a pod's specification that says where it may run beside others and on what nodes. */
export function placementFields(
  workload: Pick<Workload, 'id' | 'namespace'>,
  version: Version,
  process: string,
): Pick<PodSpec, 'affinity' | 'topologySpreadConstraints'> {
  const placement = version.template.processes[process]?.placement
  if (placement === undefined) return {}
  const termOf = (neighbour: Neighbour): PodTerm => podTerm(neighbour, { workload, version })
  const affinity = {
    ...nodeAffinity(placement),
    ...podAffinity('podAffinity', placement.together, termOf),
    ...podAffinity('podAntiAffinity', placement.apart, termOf),
  }
  // Versions spread by themselves: what makes way during a Release is not to push what comes.
  const matchLabels = {
    [WORKLOAD_LABEL]: workload.id,
    [PROCESS_LABEL]: process,
    [VERSION_LABEL]: version.hash,
  }
  const topologySpreadConstraints = placement.spread.map(({ over, required, skew }) => ({
    maxSkew: skew,
    topologyKey: topologyKeys[over],
    whenUnsatisfiable: required ? 'DoNotSchedule' : 'ScheduleAnyway',
    labelSelector: { matchLabels },
  }))
  return {
    ...(Object.keys(affinity).length > 0 && { affinity }),
    ...(topologySpreadConstraints.length > 0 && { topologySpreadConstraints }),
  }
}

function nodeAffinity({ nodes }: Placement): Pick<Affinity, 'nodeAffinity'> {
  const expressions = nodes.map(({ label, operator, values, weight }) => ({
    weight,
    expression: { key: label, operator, ...(values.length > 0 && { values }) },
  }))
  const required = expressions.filter(({ weight }) => weight === undefined)
  const preferred = expressions.flatMap(({ weight, expression }) =>
    weight === undefined ? [] : [{ weight, preference: { matchExpressions: [expression] } }],
  )
  if (expressions.length === 0) return {}
  return {
    nodeAffinity: {
      ...(required.length > 0 && {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: required.map(({ expression }) => expression) }],
        },
      }),
      ...(preferred.length > 0 && { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
    },
  }
}

function podAffinity(
  kind: 'podAffinity' | 'podAntiAffinity',
  neighbours: readonly Neighbour[],
  termOf: (neighbour: Neighbour) => PodTerm,
): Pick<Affinity, 'podAffinity' | 'podAntiAffinity'> {
  if (neighbours.length === 0) return {}
  const required = neighbours.filter(({ weight }) => weight === undefined).map(termOf)
  const preferred = neighbours.flatMap((neighbour) =>
    neighbour.weight === undefined ? [] : [{ weight: neighbour.weight, podAffinityTerm: termOf(neighbour) }],
  )
  return {
    [kind]: {
      ...(required.length > 0 && { requiredDuringSchedulingIgnoredDuringExecution: required }),
      ...(preferred.length > 0 && { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
    },
  }
}

function podTerm(
  neighbour: Neighbour,
  { workload, version }: { readonly workload: Pick<Workload, 'id' | 'namespace'>; readonly version: Version },
): PodTerm {
  const key = neighbourKey(neighbour)
  const found = must(version.template.neighbours?.[key], 'a Release settles whom its placements name')
  // Of the own Workload the own version is meant: both versions stand side by side during a Release.
  const isOwn = found.workload === workload.id
  return {
    topologyKey: topologyKeys[neighbour.over],
    labelSelector: {
      matchLabels: {
        [WORKLOAD_LABEL]: found.workload,
        ...(neighbour.process !== undefined && { [PROCESS_LABEL]: neighbour.process }),
        ...(isOwn && { [VERSION_LABEL]: version.hash }),
      },
    },
    ...(found.namespace !== workload.namespace && { namespaces: [found.namespace] }),
  }
}
