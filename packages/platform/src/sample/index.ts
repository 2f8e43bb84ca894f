export { isolatedGit } from './git.ts'
export { makeRepositories, type SampleRepository } from './make-repositories.ts'
export { sampleReconciler, type SampleWord } from './reconciler.ts'
