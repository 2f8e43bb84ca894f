export { openConnections, type Connections } from './connections.ts'
export { WORKLOAD_LABEL, type ClusterConnection, type Clusters, type GatewayFacts } from './model.ts'
export { fleetRoutes } from './routes.ts'
export { resolveCluster, upsertLocalCluster } from './service.ts'
