/*
 * A cluster whose pods run: the control plane at an address that its nodes reach, the nodes, CoreDNS as its DNS and Traefik as
 * its Gateway. Nodes get their namespaces and their containerd while the API server is still coming up.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ApiAccess } from './api-request.ts'
import { makeAuthority } from './certificates.ts'
import type { ChildProcesses } from './child-processes.ts'
import { DNS_USER, dnsFlags, serveDns } from './cluster-dns.ts'
import { createGateway, GATEWAY_USER, gatewayFlags, waitForGateway } from './cluster-gateway.ts'
import {
  certificatePath,
  type ClusterUser,
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
  waitForNodes,
  writeKubeconfig,
} from './control-plane.ts'
import type { RuntimePrograms } from './debian-programs.ts'
import { writeDockerArchive } from './docker-archive.ts'
import { freePorts } from './free-ports.ts'
import { assertRuns, joinNode, type NodeContext, nodeName, type PreparedNode, prepareNode } from './node.ts'
import { type ContainerdSettings, PAUSE_IMAGE } from './node-config.ts'
import { claimNetwork, NODES_MAX } from './node-network.ts'
import type { nodePrograms } from './parts.ts'
import type { ProcessIdentity } from './process-identity.ts'

export type NodesOptions = {
  readonly count: number
  readonly programs: Readonly<Record<(typeof nodePrograms)[number], string>>
  readonly runtime: RuntimePrograms
}

export type RunningNode = {
  readonly name: string
  readonly address: string
  /** The process whose end is the end of the node. */
  readonly init: ProcessIdentity
}

export type NodeFacts = {
  readonly nodes: readonly RunningNode[]
  /** An address of this machine that nodes and pods reach; a registry or a platform for them listens here. */
  readonly hostAddress: string
  /** Where the Gateway answers; routes attach to `gateway/shared`. */
  readonly gatewayUrl: string
}

const KUBE_PROXY_USER = 'system:kube-proxy'

/** Starts everything and resolves when pods can run, find each other by name and be reached through the Gateway. */
export async function startClusterWithNodes(
  options: ControlPlaneOptions & { readonly nodes: NodesOptions },
  children: ChildProcesses,
): Promise<ControlPlane & NodeFacts> {
  const { folder } = options
  const { count, programs, runtime } = options.nodes
  if (count < 1 || count > NODES_MAX) throw new Error(`a cluster has 1 to ${NODES_MAX} nodes`)
  mkdirSync(join(folder, 'logs'), { recursive: true })
  const network = claimNetwork(folder)
  const authority = writeClientAuthority(folder)
  const context: NodeContext = {
    folder,
    children,
    programs,
    runtime,
    network,
    nodeCount: count,
    snapshotter: snapshotterIn(folder),
    pauseArchive: await writePauseArchive(folder, programs.pause),
    registriesFolder: registriesFolder(folder),
    kubeletClientAuthority: authority.certificatePath,
  }
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const users = usersOf(numbers)
  const [controlPlane, prepared] = await Promise.all([
    startControlPlane(
      {
        ...options,
        address: network.hostAddress,
        users,
        apiserverFlags: [
          '--authorization-mode=Node,RBAC',
          '--enable-admission-plugins=NodeRestriction',
          `--kubelet-client-certificate=${authority.certificatePath}`,
          `--kubelet-client-key=${authority.keyPath}`,
        ],
      },
      children,
    ),
    Promise.all(numbers.map((number) => prepareNode(context, number))),
  ])
  const kubeconfigs = writeKubeconfigs(folder, controlPlane, users)
  const [, gatewayUrl] = await Promise.all([
    joinNodes(context, prepared, controlPlane, kubeconfigs),
    startGateway(context, controlPlane, users),
    startDns(context, controlPlane, kubeconfigs),
  ])
  return {
    ...controlPlane,
    nodes: prepared.map(({ name, address, init }) => ({ name, address, init })),
    hostAddress: network.hostAddress,
    gatewayUrl,
  }
}

/** Holds a folder per registry that containerd trusts. */
export const registriesFolder = (folder: string): string => join(folder, 'registries')

function writeClientAuthority(folder: string): {
  readonly certificatePath: string
  readonly keyPath: string
} {
  const { certificate, key } = makeAuthority('slipway-test-apiserver')
  const paths = {
    certificatePath: join(folder, 'kubelet-client.crt'),
    keyPath: join(folder, 'kubelet-client.key'),
  }
  writeFileSync(paths.certificatePath, certificate)
  writeFileSync(paths.keyPath, key, { mode: 0o600 })
  return paths
}

/** The image of a pod's first process: one static program and nothing else. */
async function writePauseArchive(folder: string, program: string): Promise<string> {
  const rootFolder = join(folder, 'pause')
  mkdirSync(rootFolder)
  copyFileSync(program, join(rootFolder, 'pause'))
  const path = join(folder, 'pause.tar')
  const run = { Entrypoint: ['/pause'], User: '65535:65535' }
  await writeDockerArchive({ name: PAUSE_IMAGE, rootFolder, run }, path)
  return path
}

/** Layers lie over each other where the file system of the cluster's folder allows it; elsewhere they are copied. */
function snapshotterIn(folder: string): ContainerdSettings['snapshotter'] {
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    const path = join(folder, 'overlay-trial', name)
    mkdirSync(path, { recursive: true })
    return path
  })
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
  try {
    const mount = ['mount', '-t', 'overlay', 'overlay', '-o', layers, merged ?? '']
    execFileSync('unshare', ['--mount', ...mount], { stdio: 'ignore' })
    return 'overlayfs'
  } catch {
    // That it cannot be mounted is the answer.
    return 'native'
  }
}

function usersOf(numbers: readonly number[]): readonly ClusterUser[] {
  const user = (name: string, group: string): ClusterUser => ({
    name,
    group,
    token: randomBytes(24).toString('base64url'),
  })
  return [
    ...numbers.map((number) => user(`system:node:${nodeName(number)}`, 'system:nodes')),
    user(KUBE_PROXY_USER, 'slipway:parts'),
    user(DNS_USER, 'slipway:parts'),
    user(GATEWAY_USER, 'slipway:parts'),
  ]
}

/** By user. */
type Kubeconfigs = ReadonlyMap<string, string>

function writeKubeconfigs(
  folder: string,
  controlPlane: ControlPlane,
  users: readonly ClusterUser[],
): Kubeconfigs {
  mkdirSync(join(folder, 'kubeconfigs'))
  return new Map(
    users.map(({ name, token }) => {
      const path = join(folder, 'kubeconfigs', name.replaceAll(':', '-'))
      writeKubeconfig(path, controlPlane, token)
      return [name, path]
    }),
  )
}

async function joinNodes(
  context: NodeContext,
  prepared: readonly PreparedNode[],
  access: ApiAccess,
  kubeconfigs: Kubeconfigs,
): Promise<void> {
  const kubeProxy = kubeconfigs.get(KUBE_PROXY_USER) ?? ''
  const programs = prepared.flatMap((node) =>
    joinNode(context, node, { kubelet: kubeconfigs.get(`system:node:${node.name}`) ?? '', kubeProxy }),
  )
  await waitForNodes(
    access,
    prepared.map(({ name }) => name),
    () => programs.forEach(assertRuns),
  )
}

async function startDns(context: NodeContext, access: ApiAccess, kubeconfigs: Kubeconfigs): Promise<void> {
  const address = context.network.hostAddress
  const [port = 0] = await freePorts(address, 1)
  const kubeconfigPath = kubeconfigs.get(DNS_USER) ?? ''
  await serveDns(access, address, port)
  context.children.start(
    context.programs.coredns,
    dnsFlags({ folder: context.folder, address, port, kubeconfigPath }),
  )
}

async function startGateway(
  context: NodeContext,
  access: ApiAccess,
  users: readonly ClusterUser[],
): Promise<string> {
  const address = context.network.hostAddress
  const [port = 0] = await freePorts(address, 1)
  const endpoint = { address, port }
  await createGateway(access, endpoint)
  const token = users.find(({ name }) => name === GATEWAY_USER)?.token ?? ''
  context.children.start(
    context.programs.traefik,
    gatewayFlags(endpoint, {
      apiUrl: access.apiUrl,
      certificatePath: certificatePath(context.folder),
      token,
    }),
  )
  await waitForGateway(access)
  return `http://${address}:${port}`
}
