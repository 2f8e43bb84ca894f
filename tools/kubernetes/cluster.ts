import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ensurePrograms, gatewayApiCrds, type Progress } from './build.ts'
import { type NodeFacts, registriesFolder } from './cluster-nodes.ts'
import type { ControlPlane, SupervisorOptions } from './control-plane.ts'
import { ensureRuntimePrograms } from './debian-programs.ts'
import { registryConfig } from './node-config.ts'
import { clusterPrograms, nodePrograms } from './parts.ts'
import { killProcess, waitUntilGone } from './process-identity.ts'
import { makeClusterFolder, removeCluster, sweepStaleClusters } from './stale-clusters.ts'

/** A real control plane, with the Gateway API's CRDs and the nodes that were asked for. */
export type RealCluster = ControlPlane &
  AsyncDisposable & {
    readonly kubectlPath: string
    readonly supervisorPid: number
    /** Ends every process and removes the folder. May be called twice. */
    readonly stop: () => Promise<void>
  }

/** A cluster whose pods run, with DNS, Services and one Gateway that serves HTTPRoutes of all namespaces. */
export type RealClusterWithNodes = RealCluster &
  NodeFacts & {
    /** Ends everything on a node at once and for ever, as when a host loses its power; resolves when it is dead. */
    readonly killNode: (name: string) => Promise<void>
    /**
     * Lets nodes pull from a registry whose certificate this authority signed.
     * @param host - with port, as in image references
     */
    readonly trustRegistry: (host: string, certificateAuthority: string) => void
    /** The API server answers nobody from now on, as when its machine hangs: connections stay open. */
    readonly freezeApi: () => void
    readonly thawApi: () => void
  }

export type RealClusterOptions = {
  /** Nodes on which pods become Running and Ready without running anything. */
  readonly kwokNodes: number
  readonly progress?: Progress
}

export type NodeClusterOptions = {
  /** Nodes that run containers, at least one. */
  readonly nodes: number
  readonly progress?: Progress
}

const ATTEMPTS_MAX = 3

/**
 * Starts a cluster of its own on free ports of 127.0.0.1 and resolves when it can be used (about 5 s; the first time the
 * programs are built, about 7 minutes). It ends with `stop`, and also when this process dies in any way.
 * @throws {ToolsUnavailable} when the programs are not built and cannot be built here
 */
export async function startRealCluster(options: RealClusterOptions): Promise<RealCluster> {
  const { ready, kubectlPath, stop } = await superviseCluster(options, 0, false)
  return { ...ready, kubectlPath, stop, [Symbol.asyncDispose]: stop }
}

/**
 * Starts a cluster whose nodes run containers, at addresses that only this machine has, and resolves when pods can run
 * (about 8 s; the first time the programs are built, about 15 minutes). Needs root. Ends like `startRealCluster`.
 * @throws {ToolsUnavailable} saying what is missing here and how to get it
 */
export async function startNodeCluster(options: NodeClusterOptions): Promise<RealClusterWithNodes> {
  const { progress, nodes } = options
  const started = await superviseCluster({ kwokNodes: 0, ...(progress && { progress }) }, nodes, false)
  const { kubectlPath, stop } = started
  const ready = withNodes(started.ready)
  return {
    ...ready,
    kubectlPath,
    stop,
    async killNode(name) {
      const node = ready.nodes.find((one) => one.name === name)
      if (!node) throw new Error(`${name} is none of ${ready.nodes.map((one) => one.name).join(', ')}`)
      killProcess(node.init)
      await waitUntilGone([node.init])
    },
    trustRegistry: (host, certificateAuthority) =>
      trustRegistry(dirname(ready.kubeconfigPath), host, certificateAuthority),
    freezeApi: () => killProcess(ready.apiServer, 'SIGSTOP'),
    thawApi: () => killProcess(ready.apiServer, 'SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

/** Starts a cluster that goes on after this process; `main.ts stop` ends it. */
export async function startDetachedCluster(options: RealClusterOptions): Promise<ControlPlane> {
  return (await superviseCluster(options, 0, true)).ready
}

/** The same with nodes that run containers. */
export async function startDetachedNodeCluster(
  options: NodeClusterOptions,
): Promise<ControlPlane & NodeFacts> {
  const { progress, nodes } = options
  const { ready } = await superviseCluster({ kwokNodes: 0, ...(progress && { progress }) }, nodes, true)
  return withNodes(ready)
}

function withNodes(ready: Ready): Ready & NodeFacts {
  const { nodes, hostAddress, gatewayUrl } = ready
  if (!nodes || hostAddress === undefined || gatewayUrl === undefined)
    throw new Error('the supervisor started a cluster without nodes')
  return { ...ready, nodes, hostAddress, gatewayUrl }
}

/** containerd reads this at each pull. */
function trustRegistry(folder: string, host: string, certificateAuthority: string): void {
  const registry = join(registriesFolder(folder), host)
  mkdirSync(registry, { recursive: true })
  const certificatePath = join(registry, 'authority.crt')
  writeFileSync(certificatePath, certificateAuthority)
  writeFileSync(join(registry, 'hosts.toml'), registryConfig(host, certificatePath))
}

type Supervised = {
  readonly ready: Ready
  readonly kubectlPath: string
  readonly stop: () => Promise<void>
}

async function superviseCluster(
  options: RealClusterOptions,
  nodeCount: number,
  detached: boolean,
): Promise<Supervised> {
  const built = await ensurePrograms(clusterPrograms, options.progress)
  const nodes = nodeCount > 0 && {
    nodes: {
      count: nodeCount,
      runtime: await ensureRuntimePrograms(options.progress),
      programs: await ensurePrograms(nodePrograms, options.progress),
    },
  }
  const crdFolder = gatewayApiCrds()
  await sweepStaleClusters()
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { kwokNodes } = options
      return await superviseOnce({ programs: built, crdFolder, kwokNodes, detached, ...nodes })
    } catch (error) {
      // Between the probe of a port and its use somebody else may take it.
      if (attempt === ATTEMPTS_MAX || !/address already in use/.test(String(error))) throw error
    }
  }
}

async function superviseOnce(options: Omit<SupervisorOptions, 'folder'>): Promise<Supervised> {
  const { detached } = options
  const folder = makeClusterFolder()
  const script = fileURLToPath(new URL('supervisor.ts', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify({ ...options, folder })], {
    // A pipe that a program in the background holds open would make whoever reads it wait.
    stdio: [detached ? 'ignore' : 'pipe', 'pipe', detached ? 'ignore' : 'inherit'],
    detached,
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  // However the supervisor ended, nothing of its cluster may stay.
  const cleaned = gone.then(() => removeCluster(folder))
  const stop = async (): Promise<void> => {
    child.stdin?.end()
    await cleaned
  }
  try {
    if (!child.stdout) throw new Error('the supervisor has no output')
    const ready = await firstLine(child.stdout, gone)
    if (detached) {
      child.stdout.destroy()
      child.unref()
    }
    return { ready, kubectlPath: options.programs.kubectl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Ready = ControlPlane & Partial<NodeFacts> & { readonly supervisorPid: number }

async function firstLine(output: NodeJS.ReadableStream, gone: Promise<void>): Promise<Ready> {
  let text = ''
  output.setEncoding('utf8')
  const line = new Promise<string>((resolve) => {
    output.on('data', (part: string) => {
      text += part
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
  const told = await Promise.race([line, gone.then(() => undefined)])
  if (told === undefined) throw new Error('the supervisor of the cluster ended before the cluster was up')
  const message = JSON.parse(told) as { readonly ready?: Ready; readonly failed?: string }
  if (!message.ready) throw new Error(`the cluster did not start: ${message.failed}`)
  return message.ready
}
