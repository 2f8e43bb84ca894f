export { partsOfInstance } from './model.ts'
export { instanceRoutes } from './routes.ts'
