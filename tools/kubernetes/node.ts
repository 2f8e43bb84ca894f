/*
 * A node that runs containers, on the machine of whoever starts it: mount, network, process, host name and IPC namespaces of
 * its own, and in them containerd, kubelet and kube-proxy. The first process of its namespaces is its life: when that is
 * killed, everything in the node ends at once, as when a host loses its power, and mounts and devices go with it.
 *
 * What the kubelet would change for the whole machine (six settings of the kernel) is covered by files of the node.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { ChildProcesses, StartedProgram, StartOptions } from './child-processes.ts'
import type { RuntimePrograms } from './debian-programs.ts'
import { eventually, StartFailure } from './eventually.ts'
import { clusterCgroup, makeCgroup } from './node-cgroups.ts'
import {
  CONTAINERD_SOCKET,
  containerdConfig,
  type ContainerdSettings,
  kubeletConfig,
  networkConfig,
} from './node-config.ts'
import { attachNode, nodeAddress, type NodeNetwork, podSubnet } from './node-network.ts'
import type { nodePrograms } from './parts.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'

/** The kubelet writes these at its start (`setupKernelTunables`). */
const machineSettings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const

/** What all nodes of a cluster have in common. */
export type NodeContext = {
  /** Of the cluster. */
  readonly folder: string
  readonly children: ChildProcesses
  readonly programs: Readonly<Record<(typeof nodePrograms)[number], string>>
  readonly runtime: RuntimePrograms
  readonly network: NodeNetwork
  readonly nodeCount: number
  readonly snapshotter: ContainerdSettings['snapshotter']
  /** A docker archive. */
  readonly pauseArchive: string
  readonly registriesFolder: string
  /** The authority by which the API server proves itself to kubelets. */
  readonly kubeletClientAuthority: string
}

/** A node before it knows its cluster: its namespaces and a containerd that answers. */
export type PreparedNode = {
  readonly number: number
  readonly name: string
  readonly address: string
  readonly init: ProcessIdentity
  readonly folder: string
}

export const nodeName = (number: number): string => `node-${number}`

/** Makes the namespaces, the network and the folders of a node and starts its containerd. */
export async function prepareNode(context: NodeContext, number: number): Promise<PreparedNode> {
  const name = nodeName(number)
  const folder = join(context.folder, name)
  for (const part of ['var-lib', 'var-log', 'cni', 'settings'])
    mkdirSync(join(folder, part), { recursive: true })
  const node: PreparedNode = {
    number,
    name,
    address: nodeAddress(context.network, number),
    folder,
    init: await openNamespaces(context, name),
  }
  attachNode(context.network, number, context.nodeCount, node.init.pid)
  arrangeMounts(node)
  await startContainerd(context, node)
  return node
}

/** Starts what joins a prepared node to its cluster. */
export function joinNode(
  context: NodeContext,
  node: PreparedNode,
  kubeconfigs: { readonly kubelet: string; readonly kubeProxy: string },
): readonly StartedProgram[] {
  const configPath = join(node.folder, 'kubelet.json')
  const cgroup = join(clusterCgroup(context.folder), node.name)
  makeCgroup(cgroup)
  const config = kubeletConfig({
    address: node.address,
    cgroup,
    clientAuthorityPath: context.kubeletClientAuthority,
  })
  writeFileSync(configPath, config)
  const kubelet = startInside(context, node, context.programs.kubelet, [
    `--config=${configPath}`,
    `--kubeconfig=${kubeconfigs.kubelet}`,
    '--root-dir=/var/lib/kubelet',
    '--cert-dir=/var/lib/kubelet/pki',
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
  ])
  const proxy = startInside(context, node, context.programs['kube-proxy'], [
    `--kubeconfig=${kubeconfigs.kubeProxy}`,
    `--hostname-override=${node.name}`,
    '--proxy-mode=nftables',
    `--cluster-cidr=${context.network.podRange}`,
    '--bind-address=0.0.0.0',
    '--healthz-bind-address=127.0.0.1:10256',
    '--metrics-bind-address=127.0.0.1:10249',
    // These belong to the whole machine.
    '--conntrack-max-per-core=0',
    '--conntrack-min=0',
    '--conntrack-tcp-timeout-established=0',
    '--conntrack-tcp-timeout-close-wait=0',
  ])
  return [kubelet, proxy]
}

async function openNamespaces(context: NodeContext, name: string): Promise<ProcessIdentity> {
  // The kernel ends the node when its supervisor is killed.
  const bond = '--pdeathsig KILL unshare --kill-child'
  const namespaces = '--mount --net --pid --uts --ipc --fork --mount-proc'
  const parameters = [...bond.split(' '), ...namespaces.split(' '), context.programs.pause]
  const outer = context.children.start('setpriv', parameters, { name, mayEnd: true })
  const pid = await eventually(`the namespaces of ${name}`, () => {
    assertRuns(outer)
    return innerProcess(outer.pid, context.programs.pause)
  })
  const init = identify(pid)
  context.children.adopt(init)
  return init
}

/** The child of `unshare` once it has become the program, for before that its namespaces are not complete. */
function innerProcess(outer: number, program: string): number | undefined {
  const child = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').trim())
  return child > 0 && readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith(program) ? child : undefined
}

/** Gives the node what a machine has to itself; nobody outside of its mount namespace sees any of it. */
function arrangeMounts({ folder, init, name }: PreparedNode): void {
  const inside = (command: string, ...parameters: readonly string[]): void =>
    void execFileSync(
      'nsenter',
      ['--target', String(init.pid), '--mount', '--uts', '--pid', command, ...parameters],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
  inside('mount', '-t', 'tmpfs', 'tmpfs', '/run')
  inside('mount', '--bind', join(folder, 'var-lib'), '/var/lib')
  inside('mount', '--bind', join(folder, 'var-log'), '/var/log')
  for (const setting of machineSettings) {
    const path = join('/proc/sys', setting)
    const cover = join(folder, 'settings', setting.replaceAll('/', '-'))
    writeFileSync(cover, readFileSync(path))
    inside('mount', '--bind', cover, path)
  }
  inside('hostname', name)
}

async function startContainerd(context: NodeContext, node: PreparedNode): Promise<void> {
  const configPath = join(node.folder, 'containerd.toml')
  const networkFolder = join(node.folder, 'cni')
  writeFileSync(
    join(networkFolder, '10-pods.conflist'),
    networkConfig(podSubnet(context.network, node.number)),
  )
  const config = containerdConfig({
    runcPath: context.runtime.runc,
    pluginFolder: dirname(context.programs.ptp),
    networkFolder,
    registriesFolder: context.registriesFolder,
    snapshotter: context.snapshotter,
  })
  writeFileSync(configPath, config)
  const containerd = startInside(context, node, context.runtime.containerd, ['--config', configPath])
  const socket = `/proc/${node.init.pid}/root${CONTAINERD_SOCKET}`
  await eventually(`containerd of ${node.name}`, () => {
    assertRuns(containerd)
    return existsSync(socket)
  })
  const load = ['--namespace', 'k8s.io', 'images', 'import', context.pauseArchive]
  execFileSync(
    'nsenter',
    [...allNamespaces(node.init), context.runtime.ctr, '--address', CONTAINERD_SOCKET, ...load],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
}

const allNamespaces = (init: ProcessIdentity): readonly string[] => [
  '--target',
  String(init.pid),
  ...'--mount --net --pid --uts --ipc --'.split(' '),
]

function startInside(
  context: NodeContext,
  node: PreparedNode,
  program: string,
  parameters: readonly string[],
): StartedProgram {
  const options: StartOptions = {
    name: `${program.slice(program.lastIndexOf('/') + 1)}-${node.number}`,
    environment: context.runtime.environment,
    mayEnd: true,
  }
  return context.children.start('nsenter', [...allNamespaces(node.init), program, ...parameters], options)
}

/** @throws {Error} with the program's last words */
export function assertRuns(program: StartedProgram): void {
  const reason = program.ended()
  if (reason !== undefined) throw new StartFailure(reason)
}
