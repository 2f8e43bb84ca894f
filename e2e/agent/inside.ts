/*
 * Runs inside of a network namespace of its own, whose only device is its loopback: a real control plane, and the one way out, a
 * port that leads to the platform's. Says where things are in one line of JSON, and ends with its standard input.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

import { startRealCluster } from '../../tools/kubernetes/cluster.ts'

const [port = '', wayOut = ''] = process.argv.slice(2)
execFileSync('ip', ['link', 'set', 'lo', 'up'])
// An API server insists on an address and a route; this one leads back to itself.
execFileSync('ip', ['address', 'add', '10.99.0.1/24', 'dev', 'lo'])
execFileSync('ip', ['route', 'add', 'default', 'dev', 'lo'])
const door = createServer((socket) => {
  const outside = connect(wayOut)
  socket.pipe(outside).pipe(socket)
  for (const end of [socket, outside])
    end.on('error', () => undefined).on('close', () => (socket.destroy(), outside.destroy()))
})
door.listen(Number(port), '127.0.0.1')
await once(door, 'listening')
const cluster = await startRealCluster({ kwokNodes: 2 })
const { kubeconfigPath, kubectlPath, apiUrl, certificateAuthority } = cluster
const devices = execFileSync('ip', ['-json', 'link', 'show'], { encoding: 'utf8' })
process.stdout.write(
  `${JSON.stringify({ kubeconfigPath, kubectlPath, apiUrl, certificateAuthority, devices: JSON.parse(devices) as unknown })}\n`,
)
process.stdin.resume()
await once(process.stdin, 'end')
await cluster.stop()
process.exit(0)
