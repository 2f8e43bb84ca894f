import { chmod, mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { type Clock, type Random, systemRandom } from '@slipway/kit'

import { startControllers } from './controllers/index.ts'
import type { Parts } from './controllers/kit.ts'
import { lockFolder } from './folder-lock.ts'
import { type RunningGateway, startGateway } from './gateway/index.ts'
import { type Kubelet, startKubelet } from './kubelet/kubelet.ts'
import type { Log, NodeAgent } from './model.ts'
import { openRegistry } from './registry/index.ts'
import { startScheduler } from './scheduler/index.ts'
import { startServer } from './server/index.ts'
import { type SimulatorOptions, startSimulator } from './simulator/index.ts'

export type MiniclusterOptions = {
  /** For this cluster alone. As root, every folder on the way to it must let other uids pass. */
  readonly dataFolder: string
  /** Of the Kubernetes API, on loopback; 0 picks a free one. */
  readonly apiPort: number
  /** Of the applications' gateway; 0 picks a free one. */
  readonly gatewayPort: number
  /** The address the gateway binds, 127.0.0.1 by default. */
  readonly gatewayListen?: string
  /** Ports that Gateways of applications may have on 127.0.0.1; `18000-18999` by default. */
  readonly ownPorts?: string
  /** The name of the node that runs processes; by default the machine's. */
  readonly nodeName?: string
  /** `host:port` that image names without a registry mean. */
  readonly ownRegistry?: string
  /** Where the languages' programs of Instances are looked for; by default the folder of this Node, then our own PATH. */
  readonly hostPath?: string
  /** Processes one container may have at once. */
  readonly processLimit?: number
  /** Simulated nodes for load tests; none by default. A number, or all their settings. */
  readonly simulatedNodes?: number | SimulatorOptions
  /** What disposing does with the Instances: by default they end; true leaves them for the next start to adopt. */
  readonly keepRunning?: boolean
  readonly clock: Clock
  readonly random?: Random
  readonly log: Log
}

export type StopOptions = {
  /** Instances go on and the next start adopts them. */
  readonly keepRunning?: boolean
  /** How long Instances and requests under way may take to end, in ms; 10 s by default. */
  readonly graceMs?: number
}

export type Minicluster = AsyncDisposable & {
  readonly apiUrl: string
  /** The administrator's kubeconfig, 0600. */
  readonly kubeconfigPath: string
  readonly gatewayUrl: string
  readonly nodeName: string
  /** Idempotent. */
  readonly stop: (options?: StopOptions) => Promise<void>
}

const OWN_PORTS = '18000-18999'
const STOP_GRACE_MS = 10_000

/**
 * Starts the embedded cluster: API server, controllers, scheduler, process runtime, gateway. What fails on the way up takes the
 * started parts down again.
 * @throws {AppError} `minicluster_folder_in_use`
 * @throws {Error} when a port is taken or the state is damaged
 */
export async function startMinicluster(options: MiniclusterOptions): Promise<Minicluster> {
  const { dataFolder, clock, log } = options
  const random = options.random ?? systemRandom
  await using parts = new AsyncDisposableStack()
  // Instances run under uids of their own and must be able to pass; what is secret lies in folders of its own.
  await mkdir(dataFolder, { recursive: true, mode: 0o711 })
  if (process.getuid?.() === 0) await chmod(dataFolder, 0o711)
  parts.use(await lockFolder(dataFolder))
  const open = parts.use(await openRegistry({ dataFolder: join(dataFolder, 'state'), clock, log, random }))
  const shared: Parts = { registry: open.registry, clock, random, log }

  // The server answers before these are there.
  const later: { agents: () => readonly NodeAgent[]; metricsText: RunningGateway['metricsText'] } = {
    agents: () => [],
    metricsText: () => '',
  }
  const server = parts.use(
    await startServer({
      registry: open,
      agents: () => later.agents(),
      dataFolder,
      port: options.apiPort,
      clock,
      log,
      random,
      metrics: () => later.metricsText(),
    }),
  )
  parts.use(await startControllers({ ...shared, caCertificate: server.caPem, apiPort: server.port }))
  parts.use(startScheduler(shared))
  const simulator = parts.use(await startSimulator(shared, simulatorOptions(options.simulatedNodes)))
  const nodeName = options.nodeName ?? nodeNameOf(hostname())
  const kubelet = await startKubelet({
    ...shared,
    nodeName,
    dataFolder: join(dataFolder, 'node'),
    ...(options.ownRegistry === undefined ? {} : { ownRegistry: options.ownRegistry }),
    ...(options.hostPath === undefined ? {} : { hostPath: options.hostPath }),
    ...(options.processLimit === undefined ? {} : { processLimit: options.processLimit }),
  })
  let stopOptions: Required<StopOptions> = {
    keepRunning: options.keepRunning ?? false,
    graceMs: STOP_GRACE_MS,
  }
  parts.defer(() => stopKubelet(kubelet, stopOptions))
  later.agents = () => [kubelet, ...simulator.agents()]
  const gateway = await startGateway(shared, {
    port: options.gatewayPort,
    address: options.gatewayListen ?? '127.0.0.1',
    ownPorts: options.ownPorts ?? OWN_PORTS,
  })
  // Ends first: nothing new comes in while everything behind it goes down.
  parts.defer(() => gateway.close(stopOptions.graceMs))
  later.metricsText = gateway.metricsText

  const running = parts.move()
  let stopped: Promise<void> | undefined
  const stop = (given: StopOptions = {}): Promise<void> => {
    stopOptions = { ...stopOptions, ...given }
    stopped ??= running.disposeAsync()
    return stopped
  }
  return {
    apiUrl: server.url,
    kubeconfigPath: server.kubeconfigPath,
    gatewayUrl: `http://${hostText(options.gatewayListen ?? '127.0.0.1')}:${gateway.port}`,
    nodeName,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

function stopKubelet(kubelet: Kubelet, { keepRunning, graceMs }: Required<StopOptions>): Promise<void> {
  return kubelet.stop({ keepRunning, graceMs })
}

function simulatorOptions(given: MiniclusterOptions['simulatedNodes']): SimulatorOptions {
  return typeof given === 'object' ? given : { nodes: given ?? 0 }
}

/** A host name in the form of a Kubernetes name. */
function nodeNameOf(name: string): string {
  const text = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 63)
  return text === '' ? 'local' : text
}

/** Addresses that mean "all" are reached over loopback. */
function hostText(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return address.includes(':') ? `[${address}]` : address
}
