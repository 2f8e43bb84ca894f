/* What is taken back from a Cluster that is forgotten: the mark, so that another platform may have it, and our tokens. */
import { messageOf, SECOND_MS } from '@slipway/kit'
import { hasReason, type Kube } from '@slipway/kube'

import type { RequestContext } from '../../context.ts'
import { revokeToken } from './credential.ts'
import { readOwner } from './facts.ts'
import { OWNER_NAME, SYSTEM_NAMESPACE } from './manifests.ts'
import type { Cluster } from './model.ts'

const CALL_MS = 5 * SECOND_MS

/** What cannot be taken back is logged: the Cluster is forgotten already, and a token ends by itself. */
export async function withdraw(
  { installationId, signal, log }: Pick<RequestContext, 'installationId' | 'signal' | 'log'>,
  kube: Kube,
  { id, slug, credential }: Cluster,
): Promise<void> {
  const options = { signal, timeoutMs: CALL_MS }
  try {
    const owner = await readOwner(kube, options)
    const isOurs = owner?.installationId === installationId && (owner.clusterId ?? id) === id
    if (isOurs) await removeMark(kube, options)
    if (credential.kind !== 'service-account') return
    // The token that asks goes last, and it is not known whether an older one still lives.
    const slots = credential.slot === 1 ? ([2, 1] as const) : ([1, 2] as const)
    for (const slot of slots) await revokeToken(kube, slot, signal)
  } catch (thrown) {
    log.warn({ cluster: slug, error: messageOf(thrown) }, 'not everything was taken back from a cluster')
  }
}

async function removeMark(kube: Kube, options: { signal: AbortSignal; timeoutMs: number }): Promise<void> {
  try {
    await kube.remove('configmaps', { namespace: SYSTEM_NAMESPACE, name: OWNER_NAME }, options)
  } catch (thrown) {
    if (!hasReason(thrown, 'NotFound')) throw thrown
  }
}
