export type { Environment, Organization, Project } from './model.ts'
export { findEnvironment, findOrganization, findProject, findProjectBySlug } from './queries.ts'
export { tenancyRoutes } from './routes.ts'
export { createEnvironment, createOrganization, createProject } from './service.ts'
