export type { Organization } from './model.ts'
export {
  findEnvironment,
  findOrganization,
  findOrganizationBySlug,
  findProject,
  findProjectBySlug,
  findProjectSlugs,
} from './queries.ts'
export { tenancyRoutes } from './routes.ts'
export { createEnvironment, createOrganization, createProject } from './service.ts'
