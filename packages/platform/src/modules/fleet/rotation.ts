/*
 * Renewing the token of our account on a Cluster: by time, or because somebody asks. The new one is proven before it is stored,
 * and the one before it ends shortly after. Being killed anywhere leaves at most a token in the other slot, which the next turn
 * ends before it uses the slot.
 */
import { MINUTE_MS } from '@slipway/kit'
import { formatKubeconfig, parseKubeconfig, type Kube } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import type { ControlContext, Reconciler } from '../../control/index.ts'
import { credentialsOwner, openKubeconfig } from './connections.ts'
import { clientOf, issueToken, otherSlot, proveAccount, revokeToken } from './credential.ts'
import { fleetErrors } from './errors.ts'
import type { Cluster, ClusterConnection } from './model.ts'
import { planCredential } from './plan.ts'
import * as queries from './queries.ts'

const RESYNC_MS = 10 * MINUTE_MS
const DEADLINE_MS = MINUTE_MS
export const CREDENTIAL_RECONCILER = 'cluster-credential'

export type Renewed = Pick<Cluster, 'credentials' | 'credential'>

/** Makes and proves a new token; nothing is stored. @throws {AppError} `cluster_credentials_given` */
export async function renewToken(
  context: Pick<Platform, 'clock' | 'envelope' | 'settings'> & { readonly signal: AbortSignal },
  kube: Kube,
  cluster: Cluster,
): Promise<Renewed> {
  const { credential } = cluster
  if (credential.kind !== 'service-account')
    throw fleetErrors.cluster_credentials_given({ cluster: cluster.slug })
  const { access } = parseKubeconfig(openKubeconfig(context, cluster))
  const slot = otherSlot(credential.slot)
  const issued = await issueToken(context, kube, { access, slot, revokesOther: true })
  await proveAccount(context, issued.access)
  const owner = credentialsOwner(cluster.id)
  return {
    credentials: context.envelope.seal(formatKubeconfig(issued.access), owner),
    credential: issued.credential,
  }
}

export function credentialReconciler(ports: {
  readonly connect: (clusterId: string) => Promise<ClusterConnection>
}): Reconciler {
  return {
    name: CREDENTIAL_RECONCILER,
    keys: async (db) => (await queries.allClusters(db)).map(({ id }) => id),
    resyncMs: RESYNC_MS,
    concurrency: 4,
    deadlineMs: DEADLINE_MS,
    async reconcile(context, clusterId) {
      const cluster = await context.transact((db) => queries.findCluster(db, clusterId))
      if (!cluster) return {}
      const move = planCredential(cluster.credential, context.clock.now())
      if (move === undefined) return {}
      if (move.kind === 'wait') return { againInMs: move.forMs }
      await (move.kind === 'revoke' ? revoke(context, cluster) : rotate(context, ports, cluster))
      return { againInMs: 1 }
    },
  }
}

async function rotate(
  context: ControlContext,
  ports: Parameters<typeof credentialReconciler>[0],
  cluster: Cluster,
): Promise<void> {
  const { kube } = await ports.connect(cluster.id)
  const renewed = await renewToken(context, kube, cluster)
  const isStored = await context.transact((db) => queries.renewCredential(db, cluster, renewed))
  context.log.info(
    { cluster: cluster.slug, isStored, ...renewed.credential },
    'the token of a cluster was renewed',
  )
}

/** With the newest token: an open connection may still use the one that ends now. */
async function revoke(context: ControlContext, cluster: Cluster): Promise<void> {
  const { credential } = cluster
  if (credential.kind !== 'service-account') return
  using kube = clientOf(context, parseKubeconfig(openKubeconfig(context, cluster)).access)
  await revokeToken(kube, otherSlot(credential.slot), context.signal)
  const { credentials } = cluster
  await context.transact((db) =>
    queries.renewCredential(db, cluster, { credentials, credential: { ...credential, revokeAt: null } }),
  )
}
