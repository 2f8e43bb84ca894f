export { parseGitUrl, type GitUrl } from './git-url.ts'
export { outboundGuard, outboundRulesOf, type OutboundGuard } from './guard.ts'
