import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@slipway/kit'
import { startMinicluster, type Minicluster, type MiniclusterOptions } from '@slipway/minicluster'

const OWN_PORTS = 50
let clusters = 0

/**
 * Ports of Workloads' own entrances that no other test of this machine is likely to use: above those that started
 * installations and Instances choose from, below the kernel's own choice.
 */
function ownPorts(): string {
  const first = 30_000 + ((process.pid * 7 + clusters) % 55) * OWN_PORTS
  clusters += 1
  return `${first}-${first + OWN_PORTS - 1}`
}

/** An embedded cluster with a folder of its own, in this process. Dispose to end it with everything that runs on it. */
export async function testCluster(options: Partial<MiniclusterOptions> = {}): Promise<Minicluster> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cluster-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  // Instances run under uids of their own and must be able to pass.
  await chmod(folder, 0o711)
  const cluster = await startMinicluster({
    dataFolder: join(folder, 'cluster'),
    apiPort: 0,
    gatewayPort: 0,
    ownPorts: ownPorts(),
    clock: systemClock,
    log: () => undefined,
    ...options,
  })
  const owned = cleanup.move()
  const stop: Minicluster['stop'] = async (given) => {
    await cluster.stop({ graceMs: 2_000, ...given })
    await owned.disposeAsync()
  }
  return { ...cluster, stop, [Symbol.asyncDispose]: () => stop() }
}
