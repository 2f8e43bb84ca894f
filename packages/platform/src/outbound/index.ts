export { parseGitUrl, type GitUrl } from './git-url.ts'
export { outboundGuardOf, type OutboundGuard } from './guard.ts'
