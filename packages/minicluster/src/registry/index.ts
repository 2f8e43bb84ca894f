export { openRegistry, type OpenRegistry, type RegistryOptions } from './registry.ts'
