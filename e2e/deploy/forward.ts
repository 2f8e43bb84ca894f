/* Lets pods reach what listens on this machine's loopback: a port of the address by which nodes know the machine leads there. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Forwarded = AsyncDisposable & {
  /** The same address, as pods reach it. */
  readonly outside: (url: string) => string
}

/** @param url - of a service on 127.0.0.1 */
export async function forwardTo(url: string, address: string): Promise<Forwarded> {
  const port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      open.add(socket)
      // Whichever side goes, the other one has nobody left to talk to.
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(socket)
          near.destroy()
          far.destroy()
        })
    }
  })
  server.listen(0, address)
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  const bound = server.address() as AddressInfo
  return {
    outside(given) {
      const moved = new URL(given)
      moved.hostname = address
      moved.port = String(bound.port)
      return moved.href
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
