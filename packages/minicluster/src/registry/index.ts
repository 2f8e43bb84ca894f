export { openRegistry, type OpenRegistry } from './registry.ts'
