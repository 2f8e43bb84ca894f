const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
/** Where agents knock at a platform. */
const AGENT_PATH = '/v1/agents/connect'

/**
 * The WebSocket address of a platform for its agents.
 * @param allowPlain - also without TLS, where the token and all requests can be read on their way
 * @throws {Error} for what is no address of a platform
 */
export function agentAddress(platformUrl: string, allowPlain: boolean): string {
  const url = URL.parse(platformUrl)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new Error(`${platformUrl.slice(0, 200)} is not the address of a platform`)
  if (url.protocol === 'http:' && !allowPlain && !LOOPBACK.has(url.hostname))
    throw new Error(`${url.origin} has no TLS, so everybody on the way could read the token`)
  return `${url.origin.replace(/^http/u, 'ws')}${AGENT_PATH}`
}
