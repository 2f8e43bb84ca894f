/* TLS on a free port of an address of this machine, with a certificate for that address. */
import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'

import type { TestAuthority } from '../../tools/kubernetes/certificates.ts'

export type SecureServer = AsyncDisposable & {
  readonly host: string
  readonly url: string
}

/** Serves HTTPS. */
export async function serveSecurely(
  authority: TestAuthority,
  address: string,
  listenerFor: (url: string) => RequestListener,
): Promise<SecureServer> {
  const { certificate, key } = authority.issue([address])
  const server = createHttpsServer({ cert: certificate, key })
  const served = await listen(server, address)
  server.on('request', listenerFor(served.url))
  return served
}

async function listen(server: Server, address: string): Promise<SecureServer> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  // A server that listens by TCP has such an address.
  const host = `${address}:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `https://${host}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
