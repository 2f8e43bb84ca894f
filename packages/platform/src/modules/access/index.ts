export { noAccess, type Access, type Place } from './model.ts'
export {
  databaseScopeOf,
  decide,
  leastRoleWith,
  permissionsAt,
  projectFilterOf,
  type ProjectFilter,
} from './plan.ts'
export {
  isNamed,
  isNamedLike,
  isOneOf,
  isOnPage,
  isVisible,
  membershipsOf,
  organizationsBelow,
  type NamedPage,
} from './queries.ts'
export { accessRoutes } from './routes.ts'
export { loadAccess } from './service.ts'
