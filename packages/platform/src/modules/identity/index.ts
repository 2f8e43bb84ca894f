export { userNames } from './queries.ts'
export { identityRoutes } from './routes.ts'
export { findCaller, renewFirstRun } from './service.ts'
