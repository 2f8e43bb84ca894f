export { openRepositories, type Repositories } from './repositories.ts'
export { sourceRoutes } from './routes.ts'
export { sourcesBelow } from './queries.ts'
export { requireSource, setSource } from './service.ts'
