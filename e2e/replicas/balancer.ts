import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/* The one address in front of the replicas, as a Service is: connections go to those that are ready, in turn. */
export type Balancer = AsyncDisposable & { readonly port: number }

/** @param ready - ports of the replicas that take connections now */
export async function openBalancer(ready: () => readonly number[]): Promise<Balancer> {
  let turn = 0
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    keep(client)
    const ports = ready()
    turn += 1
    const replica = connect(ports[turn % Math.max(1, ports.length)] ?? 1, '127.0.0.1')
    keep(replica)
    client.on('error', () => replica.destroy())
    replica.on('error', () => client.destroy())
    client.on('close', () => replica.destroy())
    replica.on('close', () => client.destroy())
    client.pipe(replica).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens by TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
