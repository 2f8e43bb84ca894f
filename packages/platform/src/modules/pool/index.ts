export { poolReconciler } from './reconciler.ts'
export { poolRoutes } from './routes.ts'
export { settlePool } from './service.ts'
