import { request } from 'undici'

import { guardedAgent } from '../../outbound/index.ts'
import type { Settings } from '../../settings.ts'
import type { AskGateway } from './model.ts'

const BODY_BYTES_MAX = 1024 * 1024

/** Asks Gateways that are reached from here, at addresses that Clusters and operators name. Disposing ends its connections. */
export function gatewaysFromHere(
  settings: Pick<Settings, 'host' | 'outboundAllow'>,
): AsyncDisposable & { readonly ask: AskGateway } {
  const agent = guardedAgent(settings)
  return {
    async ask(url, { headers, signal, timeoutMs }) {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headers: { ...headers },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal,
      })
      await body.dump({ limit: BODY_BYTES_MAX })
      return statusCode
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}
