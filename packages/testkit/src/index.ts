export { freePort } from './ports.ts'
export { testPlatform, type TestPlatform } from './platform.ts'
