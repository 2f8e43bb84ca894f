export { locationRoutes } from './routes.ts'
export { placeEnvironment } from './service.ts'
