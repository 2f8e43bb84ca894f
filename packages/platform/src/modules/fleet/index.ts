export { openAgents } from './agents.ts'
export { openConnections } from './connections.ts'
export { findNode, hasEnded, isReady, quantityOf } from './facts.ts'
export { gatewaysFromHere } from './gateway.ts'
export {
  BUILD_LABEL,
  FACT_LABELS,
  POOL_LABEL,
  PROCESS_LABEL,
  VERSION_LABEL,
  WORKLOAD_LABEL,
  type AskGateway,
  type ClusterConnection,
  type ClusterPods,
  type Clusters,
  type GatewayFacts,
} from './model.ts'
export { allClusters, findCluster } from './queries.ts'
export { amountOf, requestsOf, sumOf, type Amount } from './requests.ts'
export { credentialReconciler } from './rotation.ts'
export { fleetRoutes } from './routes.ts'
export type { ObjectsOf } from './watch.ts'
export { resolveCluster, upsertLocalCluster } from './service.ts'
