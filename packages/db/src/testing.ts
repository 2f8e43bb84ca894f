export { testDatabase } from './testing/test-database.ts'
export type { TestDatabase } from './testing/test-database.ts'
export { rowSecurityProblems } from './testing/row-security.ts'
