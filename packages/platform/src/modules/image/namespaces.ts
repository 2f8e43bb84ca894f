import { MINUTE_MS, newSecret } from '@slipway/kit'

import type { ControlContext } from '../../control/index.ts'
import { publicUrlOf } from '../../http/browser.ts'
import type { Workload } from '../app/index.ts'
import type { ClusterConnection } from '../fleet/index.ts'
import { hashOf } from './login.ts'
import { MANAGER, namespaceManifest, pullSecretManifest } from './manifests.ts'
import type { Robot } from './model.ts'
import { needsRotation, OVERLAP_MS } from './plan.ts'
import * as queries from './queries/images.ts'

/** A namespace of a Project on a Cluster. */
export type PullNamespace = {
  readonly organizationId: string
  readonly projectId: string
  readonly clusterId: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

export type Namespaces = {
  /** Makes the namespace and its pull secret. Idempotent; for a while after it looked, it does not look again. */
  readonly prepare: (
    context: ControlContext,
    connection: ClusterConnection,
    wanted: PullNamespace,
  ) => Promise<void>
  readonly prepareWorkload: (
    context: ControlContext,
    connection: ClusterConnection,
    workload: Workload,
  ) => Promise<void>
}

/** How long a namespace is taken to be as it was left; somebody who deletes the secret waits this long at most. */
const TRUST_MS = MINUTE_MS
const KNOWN_MAX = 10_000

export function namespaces(): Namespaces {
  const seen = new Map<string, { readonly untilMs: number }>()
  const underWay = new Map<string, Promise<void>>()

  async function settle(
    context: ControlContext,
    connection: ClusterConnection,
    wanted: PullNamespace,
  ): Promise<void> {
    const robot = await settleRobot(context, wanted)
    const { kube } = connection
    const { signal, installationId } = context
    const options = { manager: MANAGER, force: true, signal }
    await kube.apply(
      'namespaces',
      namespaceManifest({ name: wanted.namespace, installationId, labels: wanted.labels }),
      options,
    )
    await connection.grantNamespace?.(wanted.namespace, signal)
    const secret = pullSecretManifest({
      namespace: wanted.namespace,
      installationId,
      registry: publicUrlOf(context.settings).host,
      username: robot.id,
      password: context.envelope.open(robot.secret, ownerOf(robot)).toString('utf8'),
    })
    await kube.apply('secrets', secret, options)
  }

  const prepare: Namespaces['prepare'] = async (context, connection, wanted) => {
    const key = `${wanted.clusterId} ${wanted.namespace}`
    const nowMs = context.clock.monotonicMs()
    if ((seen.get(key)?.untilMs ?? -Infinity) > nowMs) return
    // All Workloads of a namespace share one piece of work: two at once would make two robots, of which one wins.
    const running =
      underWay.get(key) ?? settle(context, connection, wanted).finally(() => underWay.delete(key))
    underWay.set(key, running)
    await running
    if (seen.size >= KNOWN_MAX) seen.clear()
    seen.set(key, { untilMs: nowMs + TRUST_MS })
  }

  return {
    prepare,
    prepareWorkload: (context, connection, workload) =>
      prepare(context, connection, {
        organizationId: workload.organizationId,
        projectId: workload.projectId,
        clusterId: workload.clusterId,
        namespace: workload.namespace,
        labels: { 'slipway/project': workload.projectId, 'slipway/environment': workload.environmentId },
      }),
  }
}

function ownerOf(robot: Pick<Robot, 'organizationId' | 'id' | 'rotatedAt'>) {
  return [robot.organizationId, 'robot', robot.id, robot.rotatedAt.toISOString()] as const
}

/** The robot of a namespace; a new one, or a new secret for one whose secret is old. */
async function settleRobot(context: ControlContext, wanted: PullNamespace): Promise<Robot> {
  const now = context.clock.now()
  return context.transact(async (db) => {
    const known = await queries.findRobot(db, wanted.clusterId, wanted.namespace)
    if (known && !needsRotation(known, now)) return known
    const secret = newSecret()
    const id = known?.id ?? context.newId('rob')
    const { organizationId, projectId, clusterId, namespace } = wanted
    const robot: Robot = {
      id,
      organizationId,
      projectId,
      clusterId,
      namespace,
      secret: context.envelope.seal(secret, ownerOf({ organizationId, id, rotatedAt: now })),
      secretHash: hashOf(secret),
      previousHash: known?.secretHash ?? null,
      previousUntil: known ? new Date(now.getTime() + OVERLAP_MS) : null,
      rotatedAt: now,
    }
    await queries.putRobot(db, robot)
    return robot
  })
}
