/*
 * node tools/kubernetes/main.ts build [program…]   builds the programs that a real cluster needs (or those named)
 * node tools/kubernetes/main.ts start [nodes]      starts a cluster that goes on in the background, prints its kubeconfig
 * node tools/kubernetes/main.ts up [nodes]          the same with nodes that run containers (root)
 * node tools/kubernetes/main.ts stop               ends every cluster that `start` or `up` left; `down` is the same
 * node tools/kubernetes/main.ts pin [module…]      writes go.mod and go.sum anew, after a version was changed
 */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { ensurePrograms, ToolsUnavailable } from './build.ts'
import { startDetachedCluster, startDetachedNodeCluster } from './cluster.ts'
import { NODES_MAX } from './node-network.ts'
import { clusterPrograms, type Program, programs } from './parts.ts'
import { pinModules } from './pin.ts'
import { isAlive, killProcess } from './process-identity.ts'
import { detachedClusters, sweepStaleClusters } from './stale-clusters.ts'

const progress = (line: string): void => console.error(`kubernetes: ${line}`)

async function main([command, ...rest]: readonly string[]): Promise<void> {
  switch (command) {
    case 'build': {
      const wanted = rest.length > 0 ? rest.map(programOf) : clusterPrograms
      for (const path of Object.values(await ensurePrograms(wanted, progress))) console.log(path)
      return
    }
    case 'start': {
      const kwokNodes = numberOf(rest[0], 0, 5_000)
      const { kubeconfigPath, apiUrl } = await startDetachedCluster({ kwokNodes, progress })
      progress(`${apiUrl} is ready; end it with: node tools/kubernetes/main.ts stop`)
      console.log(kubeconfigPath)
      return
    }
    case 'up': {
      const startedMs = Date.now()
      const started = await startDetachedNodeCluster({ nodes: numberOf(rest[0], 1, NODES_MAX), progress })
      const { apiUrl, gatewayUrl, hostAddress, kubeconfigPath } = started
      progress(`up after ${((Date.now() - startedMs) / 1000).toFixed(1)} s, building included`)
      progress(`${apiUrl} is ready; nodes reach this machine at ${hostAddress}, the Gateway is ${gatewayUrl}`)
      progress('end it with: node tools/kubernetes/main.ts down')
      console.log(kubeconfigPath)
      return
    }
    case 'down':
    case 'stop':
      await stopDetached()
      return
    case 'pin':
      pinModules(rest, progress)
      return
    default:
      throw new Error('say build, start, up, stop or pin')
  }
}

function numberOf(text: string | undefined, least: number, most: number): number {
  const number = Number(text ?? '1')
  if (!Number.isInteger(number) || number < least || number > most)
    throw new Error(`the number of nodes is from ${least} to ${most}`)
  return number
}

function programOf(name: string): Program {
  if (!Object.hasOwn(programs, name))
    throw new Error(`${name} is none of ${Object.keys(programs).join(', ')}`)
  return name as Program
}

async function stopDetached(): Promise<void> {
  const running = detachedClusters()
  for (const { owner } of running) killProcess(owner.supervisor, 'SIGTERM')
  const deadlineMs = Date.now() + 30_000
  while (running.some(({ folder, owner }) => isAlive(owner.supervisor) || existsSync(folder))) {
    if (Date.now() > deadlineMs) throw new Error('a cluster did not end within 30 s')
    await sleep(50)
  }
  await sweepStaleClusters()
  progress(running.length === 0 ? 'no cluster runs' : `ended ${running.length} cluster(s)`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  // The rest is a bug and deserves its stack.
  if (error instanceof ToolsUnavailable) progress(error.message)
  else console.error(error)
  process.exitCode = 1
}
