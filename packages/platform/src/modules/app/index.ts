export { partsOf, type Application, type ConfigRevision, type Variable, type Workload } from './model.ts'
export {
  deleteWorkload as purgeWorkload,
  findApplication,
  findConfigRevision,
  findWorkload,
  setUrls,
  workloadIds,
} from './queries.ts'
export { appRoutes } from './routes.ts'
export { changeableWorkload, openVariables, setInstances, WORKLOAD_RECONCILER } from './service.ts'
