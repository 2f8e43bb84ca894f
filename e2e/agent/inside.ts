/*
 * Runs inside of a network namespace of its own, from which no device leads outside: a real cluster, and the one way out, an address
 * that leads to the platform's. Says where things are in one line of JSON, and ends with its standard input.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { type RealCluster, startNodeCluster, startRealCluster } from '../../tools/kubernetes/cluster.ts'
import type { InsideOptions, Places } from './closed-network.ts'

const options = JSON.parse(process.argv[2] ?? '') as InsideOptions
const { platform, wayOut, wayIn, nodes, trusted } = options
execFileSync('ip', ['link', 'set', 'lo', 'up'])
// An API server insists on an address and a route; this one leads back to itself.
execFileSync('ip', ['address', 'add', '10.99.0.1/24', 'dev', 'lo'])
execFileSync('ip', ['route', 'add', 'default', 'dev', 'lo'])
if (platform.address !== '127.0.0.1')
  execFileSync('ip', ['address', 'add', `${platform.address}/32`, 'dev', 'lo'])

async function join(
  listen: { readonly path: string } | { readonly host: string; readonly port: number },
  dial: () => Socket,
) {
  const server = createServer((near) => {
    const far = dial()
    near.pipe(far).pipe(near)
    for (const end of [near, far])
      end.on('error', () => undefined).on('close', () => (near.destroy(), far.destroy()))
  })
  server.listen(listen)
  await once(server, 'listening')
}

await join({ host: platform.address, port: platform.port }, () => connect(wayOut))
let base: RealCluster
let gatewayUrl = ''
if (nodes === 0) base = await startRealCluster({ kwokNodes: 2 })
else {
  const cluster = await startNodeCluster({ nodes })
  if (trusted) cluster.trustRegistry(trusted.host, trusted.authority)
  const { hostname, port } = new URL(cluster.gatewayUrl)
  await join({ path: wayIn }, () => connect(Number(port), hostname))
  base = cluster
  gatewayUrl = cluster.gatewayUrl
}
const { kubeconfigPath, kubectlPath, apiUrl, certificateAuthority } = base
const devices = JSON.parse(
  execFileSync('ip', ['-json', 'link', 'show'], { encoding: 'utf8' }),
) as Places['devices']
const places: Places = { kubeconfigPath, kubectlPath, apiUrl, certificateAuthority, gatewayUrl, devices }
process.stdout.write(`${JSON.stringify(places)}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await base.stop()
process.exit(0)
