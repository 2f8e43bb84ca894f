/* What a Cluster is like, read from it. */
import { parseQuantity } from '@slipway/kit'
import {
  discover,
  eachObject,
  findObject,
  hasReason,
  serverVersion,
  type CallOptions,
  type Kube,
  type Live,
} from '@slipway/kube'

import { ownerOf, OWNER_NAME, SYSTEM_NAMESPACE } from './manifests.ts'
import type { Capacity, ClusterFacts, GatewaySettings, OwnerMark } from './model.ts'
import { gatewayFactsOf } from './plan.ts'

const RUNTIME_LABEL = 'slipway/runtime'
const NODES_MAX = 10_000

/** @throws {KubeError} when it does not answer, or refuses us */
export async function readFacts(
  kube: Kube,
  settings: GatewaySettings,
  options: CallOptions,
): Promise<ClusterFacts> {
  const [version, discovery, nodes, owner] = await Promise.all([
    serverVersion(kube, options),
    discover(kube, options),
    readNodes(kube, options),
    readOwner(kube, options),
  ])
  const gatewayApi = discovery.has('httproutes')
  return {
    version: version.gitVersion,
    gateway: gatewayApi ? await readGateway(kube, settings, options) : undefined,
    processRuntime: nodes.some(({ metadata }) => metadata.labels?.[RUNTIME_LABEL] === 'process'),
    capacity: capacityOf(nodes),
    offers: {
      gatewayApi,
      metrics: discovery.has('podmetrics'),
      leastPrivilege: discovery.has('clusterroles') && discovery.has('validatingadmissionpolicies'),
    },
    owner,
  }
}

/** The mark that names the platform a Cluster belongs to; undefined where there is none, or where we may not read it. */
export async function readOwner(
  kube: Pick<Kube, 'get'>,
  options: CallOptions,
): Promise<OwnerMark | undefined> {
  try {
    const target = { namespace: SYSTEM_NAMESPACE, name: OWNER_NAME }
    const mark = await findObject(kube, 'configmaps', target, options)
    return mark && ownerOf(mark)
  } catch (thrown) {
    if (hasReason(thrown, 'Forbidden')) return undefined
    throw thrown
  }
}

async function readNodes(kube: Kube, options: CallOptions): Promise<readonly Live<'nodes'>[]> {
  const nodes: Live<'nodes'>[] = []
  for await (const node of eachObject(kube, 'nodes', options)) {
    nodes.push(node)
    if (nodes.length >= NODES_MAX) break
  }
  return nodes
}

function capacityOf(nodes: readonly Live<'nodes'>[]): Capacity {
  const taking = nodes.filter(isReady).filter(({ spec }) => spec?.unschedulable !== true)
  const sum = (resource: string): number =>
    taking.reduce((all, { status }) => all + quantityOf(status?.allocatable?.[resource]), 0)
  return {
    nodes: nodes.length,
    nodesReady: nodes.filter(isReady).length,
    cpuCores: sum('cpu'),
    memoryBytes: sum('memory'),
    instancesMax: sum('pods'),
  }
}

/** A node by its name. Our account may list nodes, and nothing else of them. */
export async function findNode(
  kube: Kube,
  name: string,
  options: CallOptions,
): Promise<Live<'nodes'> | undefined> {
  const { items } = await kube.list('nodes', { fieldSelector: `metadata.name=${name}`, limit: 1, ...options })
  return items[0]
}

/** Whether a pod takes nothing of its node any more. */
export function hasEnded({ status }: Live<'pods'>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

export function isReady({ status }: Live<'nodes'>): boolean {
  return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false
}

/** What writes nonsense has nothing to offer; it must not hide the others. */
export function quantityOf(text: string | undefined): number {
  try {
    return parseQuantity(text ?? '0')
  } catch {
    return 0
  }
}

async function readGateway(
  kube: Kube,
  settings: GatewaySettings,
  options: CallOptions,
): Promise<ClusterFacts['gateway']> {
  const gateways: Live<'gateways'>[] = []
  for await (const gateway of eachObject(kube, 'gateways', options)) gateways.push(gateway)
  const classes: Live<'gatewayclasses'>[] = []
  for await (const one of eachObject(kube, 'gatewayclasses', options)) classes.push(one)
  return gatewayFactsOf(gateways, classes, settings)
}
