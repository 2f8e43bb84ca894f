import type * as views from '@slipway/contract'

import { instanceIdOf, type Instance, type Use } from './model.ts'
import { lastTimeOf, type Event } from './service.ts'

export function instanceView(
  instance: Instance,
  releaseNumber: number | undefined,
  use: Use | undefined,
): views.Instance {
  return {
    id: instanceIdOf(instance.workloadId, instance.name),
    workloadId: instance.workloadId,
    name: instance.name,
    process: instance.process,
    version: instance.version,
    releaseNumber: releaseNumber ?? null,
    state: instance.state,
    since: instance.since.toISOString(),
    ready: instance.ready,
    restarts: instance.restarts,
    why: instance.why && { code: instance.why.code, params: { ...instance.why.params } },
    node: instance.node,
    address: instance.address,
    ports: { ...instance.ports },
    containers: [...instance.containers],
    resources: { ...instance.resources },
    use: use === undefined ? null : { ...use },
    createdAt: instance.createdAt.toISOString(),
  }
}

export function eventView(event: Event): views.InstanceEvent {
  const last = lastTimeOf(event)
  return {
    firstAt: new Date(event.firstTimestamp ?? last).toISOString(),
    lastAt: new Date(last).toISOString(),
    count: event.series?.count ?? event.count ?? 1,
    type: event.type === 'Warning' ? 'Warning' : 'Normal',
    reason: event.reason ?? '',
    message: event.message ?? '',
    source: event.source?.component || event.reportingComponent || '',
  }
}
