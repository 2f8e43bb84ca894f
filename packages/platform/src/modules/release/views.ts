import type * as contract from '@slipway/contract'

import type { Release, ReleaseEvent } from './model.ts'

export function releaseView(release: Release, kept: ReadonlySet<string>): contract.Release {
  return {
    id: release.id,
    workloadId: release.workloadId,
    number: release.number,
    image: release.image,
    configRevision: release.configRevision,
    template: release.template,
    instances: { ...release.instances },
    plan: release.plan,
    fromId: release.fromId,
    previousId: release.previousId,
    state: release.state,
    paused: release.paused,
    batch: release.batch,
    weight: release.weight,
    counts: release.counts,
    reason:
      release.reason === null ? null : { code: release.reason.code, params: { ...release.reason.params } },
    kept: kept.has(release.id),
    pinned: release.pinned,
    createdBy: release.createdBy,
    createdAt: release.createdAt.toISOString(),
    endedAt: release.endedAt?.toISOString() ?? null,
  }
}

export function releaseEventView(event: ReleaseEvent): contract.ReleaseEvent {
  return {
    sequence: event.sequence,
    at: event.at.toISOString(),
    kind: event.kind,
    batch: event.batch,
    actor: event.actor,
    code: event.code,
    params: { ...event.params },
  }
}
