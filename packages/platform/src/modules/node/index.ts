export { nodeRoutes } from './routes.ts'
export { readUses } from './uses.ts'
