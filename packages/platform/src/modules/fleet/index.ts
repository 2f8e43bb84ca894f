export { resolveCluster } from './service.ts'
