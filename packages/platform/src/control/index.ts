export { createDriver, type ControlContext, type Reconciler } from './driver.ts'
export { raiseEpochs, readSetting, settleSetting, writeSetting } from './queries.ts'
export { wake } from './wake.ts'
