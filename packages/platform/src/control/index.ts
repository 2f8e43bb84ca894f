export { createDriver, type ControlContext, type Reconciler } from './driver.ts'
export { readSetting, settleSetting } from './queries.ts'
export { wake } from './wake.ts'
