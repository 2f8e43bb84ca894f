export { findRelease, findReleaseNumbers, imageUses } from './queries.ts'
export { releaseReconciler } from './reconciler.ts'
export { releaseRoutes } from './routes.ts'
export type { ReleasableImage } from './service.ts'
