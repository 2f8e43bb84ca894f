export { instanceOf } from './manifests.ts'
export { partsOfInstance } from './model.ts'
export { instanceRoutes } from './routes.ts'
export { asked, findPod, placeOf } from './service.ts'
