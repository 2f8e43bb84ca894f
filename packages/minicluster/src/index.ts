export type { SimulatorOptions } from './simulator/index.ts'
export { type Minicluster, type MiniclusterOptions, startMinicluster, type StopOptions } from './start.ts'
