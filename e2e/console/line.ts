/* A line between browser and platform that counts what passes and changes nothing. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Line = AsyncDisposable & {
  readonly port: number
  /** Streams of changes that were asked for so far, and those whose connection is still open. */
  readonly streams: () => { readonly begun: number; readonly open: number }
}

const ASKED = 'GET /v1/events/stream'

/** @param port - of the platform, on the loopback address */
export async function layLine(port: number): Promise<Line> {
  const sockets = new Set<Socket>()
  const open = new Set<Socket>()
  let begun = 0
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port })
    sockets.add(near)
    sockets.add(far)
    const end = (): void => {
      open.delete(near)
      near.destroy()
      far.destroy()
      sockets.delete(near)
      sockets.delete(far)
    }
    near.on('data', (part: Buffer) => {
      if (part.toString('latin1').includes(ASKED)) {
        begun += 1
        open.add(near)
      }
    })
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // It listens on TCP.
    port: (server.address() as AddressInfo).port,
    streams: () => ({ begun, open: open.size }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
