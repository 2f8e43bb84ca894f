export { evacuationUpkeep, lossReconciler } from './losses.ts'
export { isOf, podsOn, workloadsAt } from './observe.ts'
export { evacuationReconciler } from './reconciler.ts'
export { evacuationRoutes } from './routes.ts'
