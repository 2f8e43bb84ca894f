import { startDeploymentController } from './deployment/controller.ts'
import { startEndpointSliceController } from './endpointslice/controller.ts'
import { startGarbageCollector } from './garbage/controller.ts'
import { furnishCluster, startEventExpiry, startQuotaController } from './housekeeping.ts'
import { startJobController } from './job/controller.ts'
import type { Parts } from './kit.ts'
import { startNamespaceController } from './namespaces.ts'
import { startNodeController, startPodCollector } from './node/controller.ts'
import { startReplicaSetController } from './replicaset/controller.ts'

export type ControllerOptions = Parts & {
  /** PEM; published to every namespace as ConfigMap `kube-root-ca.crt`. */
  readonly caCertificate: string
  readonly apiPort: number
}

/** Starts all controllers over one registry. Disposing stops them and waits for the work under way. */
export async function startControllers(options: ControllerOptions): Promise<AsyncDisposable> {
  const { caCertificate, apiPort, ...parts } = options
  await furnishCluster(parts, apiPort)
  const running = [
    startNamespaceController(parts, caCertificate),
    startGarbageCollector(parts),
    startDeploymentController(parts),
    startReplicaSetController(parts),
    startJobController(parts),
    startEndpointSliceController(parts),
    startNodeController(parts),
    startPodCollector(parts),
    startQuotaController(parts),
    startEventExpiry(parts),
  ]
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((controller) => controller[Symbol.asyncDispose]()))
    },
  }
}
