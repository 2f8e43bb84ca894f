import { SECOND_MS, waitFor } from '@slipway/kit'
import { isAllowed, type Kube } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import { MANAGER, namespaceGrant } from './manifests.ts'

/** How long an API server may take until it goes by a new role binding, in ms. */
const SETTLE_MS = 10 * SECOND_MS

/**
 * Gives our account its rights in a namespace of this installation. Resolves when they are in force. Idempotent.
 * @throws {KubeError} `Forbidden` for the namespace of somebody else
 */
export async function grantNamespace(
  { clock, installationId }: Pick<Platform, 'clock' | 'installationId'>,
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { manager: MANAGER, force: true, signal }
  await kube.apply('rolebindings', namespaceGrant(namespace, installationId), options)
  await waitFor(
    clock,
    `the rights in ${namespace} to be in force`,
    () => isAllowed(kube, { verb: 'create', resource: 'secrets', namespace }, { signal }),
    { timeoutMs: SETTLE_MS, everyMs: 100, signal },
  )
}
