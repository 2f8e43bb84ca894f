export { openHub } from './hub.ts'
export { eventUpkeep } from './reconciler.ts'
export { eventRoutes } from './routes.ts'
