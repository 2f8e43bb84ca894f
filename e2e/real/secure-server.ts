import { createServer } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { TestAuthority } from '../../tools/kubernetes/certificates.ts'

export type SecureServer = AsyncDisposable & {
  readonly host: string
  readonly url: string
}

/** Serves HTTPS on a free port of an address of this machine, with a certificate for that address. */
export async function serveSecurely(
  authority: TestAuthority,
  address: string,
  listenerFor: (url: string) => RequestListener,
): Promise<SecureServer> {
  const { certificate, key } = authority.issue([address])
  const server = createServer({ cert: certificate, key })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  // A server that listens by TCP has such an address.
  const host = `${address}:${(server.address() as AddressInfo).port}`
  server.on('request', listenerFor(`https://${host}`))
  return {
    host,
    url: `https://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
