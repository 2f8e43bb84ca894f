export { openConnections, type Connections } from './connections.ts'
export type { ClusterConnection, Clusters, GatewayFacts } from './model.ts'
export { fleetRoutes } from './routes.ts'
export { resolveCluster, upsertLocalCluster } from './service.ts'
