export { partsOf, type Application, type Variable, type Workload } from './model.ts'
export {
  deleteWorkload as purgeWorkload,
  findApplication,
  findApplicationBySlug,
  findConfigRevision,
  findWorkload,
  setUrls,
  workloadIds,
  workloadsOfApplication,
} from './queries.ts'
export { appRoutes } from './routes.ts'
export {
  changeableWorkload,
  createApplication,
  createWorkload,
  openVariables,
  setInstances,
  WORKLOAD_RECONCILER,
} from './service.ts'
