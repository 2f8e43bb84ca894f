import type { Change } from '../../model.ts'
import { type Again, isSameJson, keyOf, type Parts, runController, splitKey, unlessGone } from '../kit.ts'
import { indexObjects, type ObjectIndex } from '../object-index.ts'
import type { Pod } from '../pods.ts'
import { matchesLabels } from '../selector.ts'
import { MANAGED_BY, MANAGED_BY_LABEL, planSlices, PORTS_ANNOTATION, SERVICE_LABEL } from './plan.ts'

type PodChange = Extract<Change, { resource: 'pods' }>

const MANAGER = 'endpointslice-controller'

/** Keeps the EndpointSlices of every Service that selects pods. */
export function startEndpointSliceController(parts: Parts): AsyncDisposable {
  const { registry } = parts
  const slicesByService = indexObjects(registry, 'endpointslices', (slice) => {
    const labels = slice.metadata.labels ?? {}
    if (labels[MANAGED_BY_LABEL] !== MANAGED_BY) return []
    return [`${slice.metadata.namespace ?? ''}/${labels[SERVICE_LABEL] ?? ''}`]
  })
  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 8,
    keysOf(change) {
      if (change.resource === 'services') return [keyOf(change.object)]
      if (change.resource === 'pods') return keysOfPod(parts, change)
      if (change.resource !== 'endpointslices') return []
      const service = change.object.metadata.labels?.[SERVICE_LABEL]
      return service === undefined ? [] : [`${change.object.metadata.namespace ?? ''}/${service}`]
    },
    firstKeys: () => registry.list('services').map(keyOf),
    reconcile: (key) => reconcileService(parts, slicesByService, key),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      slicesByService[Symbol.dispose]()
    },
  }
}

/** The Services a pod's change concerns; most changes of a pod's status concern none. */
function keysOfPod({ registry }: Parts, change: PodChange): readonly string[] {
  const { object: pod, old } = change
  const namespace = pod.metadata.namespace ?? ''
  const labels = pod.metadata.labels
  const oldLabels = old?.metadata.labels
  if (old && change.type === 'MODIFIED' && isSameJson(labels, oldLabels) && traits(pod) === traits(old))
    return []
  return registry
    .list('services', namespace)
    .filter(({ spec }) => {
      const selector = spec?.selector
      if (selector === undefined || Object.keys(selector).length === 0) return false
      return matchesLabels(selector, labels) || (old !== undefined && matchesLabels(selector, oldLabels))
    })
    .map(keyOf)
}

function traits(pod: Pod): string {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status
  return [
    pod.status?.podIP,
    pod.status?.phase,
    ready,
    pod.spec?.nodeName,
    pod.metadata.deletionTimestamp,
    pod.metadata.annotations?.[PORTS_ANNOTATION],
  ].join(' ')
}

async function reconcileService(
  { registry }: Parts,
  slicesByService: ObjectIndex<'endpointslices'>,
  key: string,
): Promise<Again> {
  const { namespace, name } = splitKey(key)
  const service = registry.get('services', namespace, name)
  const slices = slicesByService.get(key)
  const selector = service?.spec?.selector
  const selects = selector !== undefined && Object.keys(selector).length > 0
  // Slices of a Service without a selector are its user's; those of one that is gone are the garbage collector's.
  if (!service || service.metadata.deletionTimestamp !== undefined || !selects) return {}
  if (service.spec?.type === 'ExternalName') return {}

  const pods = registry.list('pods', namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels))
  const plan = planSlices(
    service,
    pods,
    slices.filter((slice) => slice.metadata.deletionTimestamp === undefined),
  )
  for (const slice of plan.update) await registry.update('endpointslices', slice, MANAGER)
  for (const slice of plan.create) await registry.create('endpointslices', slice, MANAGER)
  for (const slice of plan.remove)
    await unlessGone(registry.remove('endpointslices', namespace, slice.metadata.name))
  return {}
}
