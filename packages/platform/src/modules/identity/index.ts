export { identityErrors } from './errors.ts'
export { userNames } from './queries.ts'
export { identityRoutes } from './routes.ts'
export { findCaller, findCallerByProof, renewFirstRun, type Caller } from './service.ts'
