export { evacuationUpkeep, lossReconciler } from './losses.ts'
export { evacuationReconciler } from './reconciler.ts'
export { evacuationRoutes } from './routes.ts'
