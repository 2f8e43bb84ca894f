export { addressGuardOf, guardedAgent } from './connect.ts'
export { parseGitUrl, type GitUrl } from './git-url.ts'
export { outboundGuardOf, type OutboundGuard } from './guard.ts'
