export { run, type Surroundings } from './run.ts'
export { Exit, type ExitCode } from './exit.ts'
