export { testCluster } from './cluster.ts'
export { freePort } from './ports.ts'
export { testPlatform, type TestPlatform } from './platform.ts'
export { makeWorkload, pushProgram, type TestWorkload } from './shop.ts'
