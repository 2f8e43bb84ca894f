export { parseGitUrl, type GitUrl } from './git-url.ts'
export { outboundGuard, outboundRulesOf, type OutboundGuard, type PinnedHost } from './guard.ts'
