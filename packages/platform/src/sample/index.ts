export { isolatedGit, type Git } from './git.ts'
export {
  makeRepositories,
  type SampleCommit,
  type SampleRepositoriesOptions,
  type SampleRepository,
} from './make-repositories.ts'
export { sampleReconciler, type SamplePorts } from './reconciler.ts'
