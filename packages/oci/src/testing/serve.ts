import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { nodeListener } from '../registry/node-listener.ts'

export type ServedRegistry = AsyncDisposable & { readonly url: string; readonly host: string }

/** Serves a registry on a free port of 127.0.0.1, for tests. */
export async function serveRegistry(
  handler: (request: Request) => Promise<Response>,
): Promise<ServedRegistry> {
  const server = createServer(nodeListener(handler))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // A server that listens by TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
