export { openAgents } from './agents.ts'
export { openConnections } from './connections.ts'
export { isReady, quantityOf } from './facts.ts'
export { gatewaysFromHere } from './gateway.ts'
export {
  WORKLOAD_LABEL,
  type AskGateway,
  type ClusterConnection,
  type ClusterPods,
  type Clusters,
  type GatewayFacts,
} from './model.ts'
export { allClusters, findCluster } from './queries.ts'
export { amountOf, requestsOf, type Amount } from './requests.ts'
export { credentialReconciler } from './rotation.ts'
export { fleetRoutes } from './routes.ts'
export type { ObjectsOf } from './watch.ts'
export { resolveCluster, upsertLocalCluster } from './service.ts'
