import { Plan } from '@slipway/contract'

import { noCounts, type Release } from './model.ts'
import { settleBatches } from './batches.ts'
import type { Observation } from './plan.ts'
import { shapeOf, type ShapeInput } from './shape.ts'

export const T0 = new Date('2026-01-01T00:00:00Z')
export const later = (ms: number): Date => new Date(T0.getTime() + ms)
export const plan = (value: unknown): Plan => Plan.parse(value)
const template = {
  processes: {
    web: {
      kind: 'web' as const,
      port: 8080,
      probe: { startSeconds: 60, timeoutSeconds: 2 },
      resources: { cpu: '50m', memory: '128Mi' },
      graceSeconds: 30,
      instances: 4,
    },
  },
}

export function release(change: Partial<Release> = {}): Release {
  const one = change.plan ?? plan({ batches: [{ instances: 1, approve: true }, { percent: 100 }] })
  return {
    id: 'rel_new',
    organizationId: 'org',
    projectId: 'prj',
    workloadId: 'wrk',
    number: 2,
    image: 'shop/web@sha256:new',
    configRevision: 1,
    template,
    nonce: '',
    hash: 'newnewne',
    plan: one,
    batches: settleBatches(one, 4, true),
    fromId: null,
    previousId: 'rel_old',
    state: 'Placing',
    heldFrom: null,
    goal: 'forward',
    paused: false,
    batch: 0,
    approvedBatch: -1,
    instances: { web: 4 },
    asked: [],
    demand: 4,
    oldDemand: 4,
    reserve: 'full',
    probesPassed: 0,
    weight: 0,
    counts: noCounts,
    reason: null,
    served: false,
    pinned: false,
    stateSince: T0,
    batchSince: T0,
    generation: 1,
    createdBy: 'ann',
    createdAt: T0,
    endedAt: null,
    ...change,
  }
}

export function seen(change: Partial<Observation> = {}): Observation {
  return {
    counts: { newReady: 4, newWanted: 4, oldReady: 4, oldWanted: 4 },
    settled: true,
    routed: null,
    crashes: 0,
    trouble: '',
    oldTrouble: '',
    unreadySince: null,
    newGone: false,
    hasRouter: true,
    ...change,
  }
}

/** A release of a new version while an old one serves with four Instances. */
export function shapeInput(change: Partial<ShapeInput>): ShapeInput {
  return {
    active: undefined,
    serving: release({ id: 'rel_old', hash: 'oldoldol', state: 'Done', endedAt: T0 }),
    retained: undefined,
    retainedInstances: null,
    instances: { web: 4 },
    hasRouter: true,
    newReady: 0,
    oldReady: 4,
    newPresent: null,
    drained: true,
    ...change,
  }
}

export function weightsOf(one: ShapeInput): Record<string, number> {
  return Object.fromEntries(shapeOf(one).versions.map(({ version, weight }) => [version.hash, weight]))
}

export function countsOf(one: ShapeInput): Record<string, number | undefined> {
  return Object.fromEntries(
    shapeOf(one).versions.map(({ version, instances }) => [version.hash, instances.get('web')]),
  )
}
