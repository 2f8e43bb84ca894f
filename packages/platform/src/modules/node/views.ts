import type * as views from '@slipway/contract'

import { placeView } from '../app/index.ts'
import type { OwnedTenant } from './model.ts'
import { sharesOf } from './plan.ts'
import type { Look } from './service.ts'

export function loadView({ facts, requested, use }: Look): views.NodeLoad {
  const { name, ready, schedulable, capacity } = facts
  return { name, ready, schedulable, capacity, requested, use: use ?? null }
}

export function tenantView({ owner, createdAt, ...tenant }: OwnedTenant): views.NodeTenant {
  return {
    owner: owner.kind === 'workload' ? { ...owner, workload: placeView(owner.workload) } : owner,
    ...tenant,
    createdAt: createdAt.toISOString(),
  }
}

export function nodeView(clusterId: string, look: Look): views.NodeDetail {
  const { addresses, kubeletVersion, labels, capacity } = look.facts
  return {
    ...loadView(look),
    clusterId,
    addresses: [...addresses],
    kubeletVersion,
    labels: { ...labels },
    shares: sharesOf(look.tenants, capacity).map((share) => ({ ...share })),
    tenants: look.tenants.map(tenantView),
  }
}
