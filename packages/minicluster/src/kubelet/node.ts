/** The Node object of this machine and its heartbeat. */
import { statfsSync } from 'node:fs'
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os'

import { messageOf, MIB } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import type { Objects } from '../model.ts'
import { MANAGER, type Base } from './model.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const PODS_MAX = 250
/** Less free disk than this is reported as pressure. */
const DISK_FREE_MIN_BYTES = 512 * MIB
const DISK_FREE_MIN_SHARE = 0.02

type Node = Objects['nodes']
type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number]

export type Capacity = { readonly cpu: number; readonly memoryBytes: number; readonly storageBytes: number }

export function readCapacity(dataFolder: string): Capacity {
  const disk = statfsSync(dataFolder)
  return { cpu: availableParallelism(), memoryBytes: totalmem(), storageBytes: disk.blocks * disk.bsize }
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' }

/** Creates or refreshes the Node; labels that others set stay. */
export async function registerNode(base: Base, capacity: Capacity): Promise<void> {
  const { registry, nodeName } = base
  const architecture = ARCHITECTURES[arch()] ?? arch()
  const labels = {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': process.platform,
    'kubernetes.io/arch': architecture,
    'slipway/runtime': 'process',
  }
  const before = registry.get('nodes', undefined, nodeName)
  if (!before)
    await registry.create(
      'nodes',
      { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels } },
      MANAGER,
    )
  else if (Object.entries(labels).some(([key, value]) => before.metadata.labels?.[key] !== value))
    await registry.update(
      'nodes',
      { ...before, metadata: { ...before.metadata, labels: { ...before.metadata.labels, ...labels } } },
      MANAGER,
    )
  await reportNode(base, capacity)
}

/** Writes the node's status; does nothing when it says so already. */
export async function reportNode(base: Base, capacity: Capacity): Promise<void> {
  const { registry, nodeName } = base
  const node = registry.get('nodes', undefined, nodeName)
  if (!node) return registerNode(base, capacity)
  const amounts = {
    cpu: String(capacity.cpu),
    memory: `${Math.floor(capacity.memoryBytes / 1_024)}Ki`,
    'ephemeral-storage': `${Math.floor(capacity.storageBytes / 1_024)}Ki`,
    pods: String(PODS_MAX),
  }
  const status: Node['status'] = {
    ...node.status,
    capacity: amounts,
    allocatable: amounts,
    conditions: conditionsOf(base, node),
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: nodeName },
    ],
    nodeInfo: {
      machineID: base.agentId,
      systemUUID: base.agentId,
      bootID: base.bootId,
      kernelVersion: release(),
      osImage: `${hostname()} (${process.platform})`,
      containerRuntimeVersion: `process://${process.version}`,
      kubeletVersion: 'v1.35.4+embedded',
      kubeProxyVersion: '',
      operatingSystem: process.platform,
      architecture: ARCHITECTURES[arch()] ?? arch(),
    },
  }
  await registry.updateStatus('nodes', { ...node, status }, MANAGER)
}

function conditionsOf(base: Base, node: Node): readonly NodeCondition[] {
  const disk = statfsSync(base.dataFolder)
  const freeBytes = disk.bavail * disk.bsize
  const pressed = freeBytes < Math.max(DISK_FREE_MIN_BYTES, DISK_FREE_MIN_SHARE * disk.blocks * disk.bsize)
  const now = base.clock
    .now()
    .toISOString()
    .replace(/\.[0-9]+Z$/, 'Z')
  const made: readonly (readonly [type: string, status: string, reason: string, message: string])[] = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    pressed
      ? [
          'DiskPressure',
          'True',
          'KubeletHasDiskPressure',
          `only ${Math.round(freeBytes / MIB)} MiB of disk are free`,
        ]
      : ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ]
  return made.map(([type, status, reason, message]) => {
    const before = node.status?.conditions?.find((known) => known.type === type)
    const same = before?.status === status
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: same ? (before.lastHeartbeatTime ?? now) : now,
      lastTransitionTime: same ? (before.lastTransitionTime ?? now) : now,
    }
  })
}

/** Renews the lease that tells the cluster that this node lives. */
export async function renewLease(base: Base): Promise<void> {
  const { registry, nodeName, clock } = base
  const spec = {
    holderIdentity: nodeName,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: clock.now().toISOString().replace('Z', '000Z'),
  }
  const metadata = { name: nodeName, namespace: LEASE_NAMESPACE }
  const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  try {
    if (registry.get('leases', LEASE_NAMESPACE, nodeName)) await registry.update('leases', object, MANAGER)
    else await createLease(base, object)
  } catch (error) {
    base.log('warn', 'the node lease was not renewed', { error: messageOf(error) })
  }
}

async function createLease(base: Base, lease: Objects['leases']): Promise<void> {
  const { registry } = base
  if (!registry.get('namespaces', undefined, LEASE_NAMESPACE)) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASE_NAMESPACE } }
    await registry.create('namespaces', namespace, MANAGER).catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.code !== 409) throw error // somebody else made it: fine
    })
  }
  await registry.create('leases', lease, MANAGER)
}
