export { INSTALLATION_CHAIN, type AuditRecord } from './model.ts'
export { auditRoutes } from './routes.ts'
export { appendEvent } from './service.ts'
