import { createServer } from 'node:net'

/** Ports of `address` that nobody listens on; all probes are open at once, so that no port is handed out twice. */
export async function freePorts(address: string, count: number): Promise<readonly number[]> {
  const probes = await Promise.all(Array.from({ length: count }, () => openProbe(address)))
  await Promise.all(probes.map((probe) => probe.close()))
  return probes.map((probe) => probe.port)
}

function openProbe(address: string): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, address, () => {
      const bound = server.address()
      const port = typeof bound === 'object' && bound ? bound.port : 0
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) })
    })
  })
}
