export { catalog, fill, languages, type Catalog, type Language } from './catalog.ts'
export { defineErrors, errorCodes, errorText, type ErrorCode } from './errors/index.ts'
export { cliKeys, cliText, findCliText, type CliKey } from './cli.ts'
export { launcherText, type LauncherKey } from './launcher.ts'
