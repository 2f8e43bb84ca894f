/* A second cluster with containers, in a network to which the platform has no route; its agent runs there as a pod. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

import { type ClosedNetwork, startClosedNetwork } from '../agent/closed-network.ts'
import { developerOf, type Developer } from '../journey/developer.ts'
import type { Entrance } from '../journey/visitors.ts'
import { type Installation, until } from './installation.ts'

const SLUG = 'closed'
const WORKLOAD = 'shop/web/closed'
const PULL_SECRET = 'agent-image'

export type ClosedCluster = AsyncDisposable & {
  readonly network: ClosedNetwork
  readonly developer: Developer
  readonly entrance: () => Promise<Entrance>
  readonly health: () => Promise<string>
  /** Ends the process of the agent at once; its kubelet starts another one. */
  readonly killAgent: () => void
}

/** Starts it, registers it as an operator inside would, deletes the kubeconfig of the administrator, and makes a Workload. */
export async function openClosedCluster({ platform, developer }: Installation): Promise<ClosedCluster> {
  await using cleanup = new AsyncDisposableStack()
  const { cli } = developer
  const { address, port, authority } = platform
  const registry = `${address}:${port}`
  const trusted = { host: registry, authority }
  const network = cleanup.use(await startClosedNetwork({ platform: { address, port }, nodes: 1, trusted }))
  const image = `${registry}/base/node:latest`
  const how = ['--image', image, '--pull-secret', PULL_SECRET]
  const made = await cli.succeed(['cluster', 'register-agent', SLUG, ...how])
  await network.kubectl(['apply', '--server-side', '-f', '-'], made.out)
  const password = String((await cli.json('token', 'create', 'agent-image'))['secret'])
  const login = ['--docker-server', registry, '--docker-username', 'operator', '--docker-password', password]
  const secret = ['create', 'secret', 'docker-registry', PULL_SECRET, '--namespace', 'slipway-system']
  await network.kubectl([...secret, ...login])
  await rm(network.kubeconfigPath)
  const health = async (): Promise<string> =>
    ((await cli.json('cluster', 'show', SLUG))['health'] as { readonly state: string }).state
  await until('the agent to have connected its Cluster', async () => (await health()) === 'ready')
  await cli.succeed(['environment', 'create', 'shop/closed', '--cluster', SLUG])
  await cli.succeed(['workload', 'create', WORKLOAD])
  const own = developerOf(cli, WORKLOAD)
  const owned = cleanup.move()
  return {
    network,
    developer: own,
    health,
    async entrance() {
      const [url = ''] = (await cli.json('workload', 'show', WORKLOAD))['urls'] as readonly string[]
      return { url: network.entranceUrl, host: new URL(url).host }
    },
    killAgent() {
      for (const pid of agentsIn(basename(dirname(network.kubeconfigPath)))) process.kill(pid, 'SIGKILL')
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Processes of agents in the containers of a cluster, which its folder's name is in the cgroups of. */
function agentsIn(cluster: string): readonly number[] {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && existsSync(`/proc/${name}`))
    .filter((pid) => {
      const [command, cgroup] = [read(pid, 'cmdline'), read(pid, 'cgroup')]
      return /^(?:\S*\/)?node\0[^\0]*slipway-agent\.mjs/u.test(command) && cgroup.includes(cluster)
    })
  if (found.length === 0) throw new Error('no agent runs')
  return found.map(Number)
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}
