import type * as views from '@slipway/contract'

import type { Workload, WorkloadPlace } from './model.ts'

export function placeView(place: WorkloadPlace): views.WorkloadPlace {
  const { urls: _, ...shown } = place
  return shown
}

export function workloadView(workload: Workload): views.Workload {
  return {
    id: workload.id,
    name: workload.name,
    projectId: workload.projectId,
    applicationId: workload.applicationId,
    environmentId: workload.environmentId,
    clusterId: workload.clusterId,
    namespace: workload.namespace,
    urls: [...workload.urls],
    instances: { ...workload.instances },
    placement: { ...workload.placement },
    pool: workload.pool,
    configRevision: workload.configRevision,
    keepSeconds: workload.keepSeconds,
    createdAt: workload.createdAt.toISOString(),
  }
}
