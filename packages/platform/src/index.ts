export { startPlatform, type RunningPlatform } from './platform.ts'
export { checkSettings, readSettings, type Settings, type SettingsInput } from './settings.ts'
export { countAbsentBlobs, prepareRestored } from './restored.ts'
export { migrations } from './migrations/index.ts'
