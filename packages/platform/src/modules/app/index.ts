export { partsOf, type Application, type Variable, type Workload, type WorkloadPlace } from './model.ts'
export { applicationsFor, placesFor } from './places.ts'
export { placeView, workloadView } from './views.ts'
export {
  deleteWorkload as purgeWorkload,
  findApplication,
  findApplicationBySlug,
  findConfigRevision,
  findWorkload,
  findWorkloads,
  lockWorkload,
  setUrls,
  takeInstances,
  workloadIds,
  workloadsFor,
  workloadsNamed,
  workloadsOfApplication,
} from './queries.ts'
export { appRoutes } from './routes.ts'
export {
  changeableWorkload,
  createApplication,
  createWorkload,
  openVariables,
  restartWorkload,
  setInstances,
  setPlacement,
  WORKLOAD_RECONCILER,
} from './service.ts'
