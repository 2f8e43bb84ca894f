export { noAccess, type Access, type Place } from './model.ts'
export {
  databaseScopeOf,
  decide,
  leastRoleWith,
  permissionsAt,
  projectFilterOf,
  type ProjectFilter,
} from './plan.ts'
export { isNamedLike, isOneOf, isVisible, membershipsOf, organizationsBelow } from './queries.ts'
export { accessRoutes } from './routes.ts'
export { loadAccess } from './service.ts'
