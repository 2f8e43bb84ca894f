import type { NodeDetail, NodeLoad, NodeShare, NodeTenant, ResourceAmount } from '@slipway/contract'
import { instanceText } from '@slipway/messages'

import type { Deps } from '../../deps.ts'
import type { View } from '../../output/table.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** What a node is like as a whole; what is on it is listed by `node tenants`. */
export function nodeDetailView(deps: Deps): View<NodeDetail> {
  return {
    columns: [
      { title: 'column.name', value: ({ name }) => name },
      { title: 'column.ready', value: ({ ready }) => ready },
      { title: 'column.schedulable', value: ({ schedulable }) => schedulable },
      { title: 'column.cpu', value: (node) => cpuText(node) },
      { title: 'column.memory', value: (node) => memoryText(node) },
      { title: 'column.shares', value: ({ shares }) => shares.map((one) => shareText(deps, one)).join(', ') },
      { title: 'column.address', value: ({ addresses }) => addresses.join(', ') },
      { title: 'column.version', value: ({ kubeletVersion }) => kubeletVersion },
    ],
    name: ({ name }) => name,
  }
}

/** Used, asked for and there are, in this order; what is not known as a dash. */
function cpuText({ use, requested, capacity }: NodeLoad): string {
  return [use?.cpuCores, requested.cpuCores, capacity.cpuCores].map(rounded).join(' / ')
}

function memoryText({ use, requested, capacity }: NodeLoad): string {
  const gib = (bytes: number | undefined): string => rounded(bytes === undefined ? undefined : bytes / GIB)
  return `${[use?.memoryBytes, requested.memoryBytes, capacity.memoryBytes].map(gib).join(' / ')} GiB`
}

function rounded(value: number | undefined): string {
  return value === undefined ? '-' : String(Math.round(value * 100) / 100)
}

function shareText(deps: Deps, { project, share }: NodeShare): string {
  return `${project?.slug ?? deps.text('node.other')} ${Math.round(share * 100)} %`
}

/** The node of a list of tenants, in one line. */
export function nodeLine(deps: Deps, node: NodeLoad): string {
  return deps.text('node.line', { name: node.name, cpu: cpuText(node), memory: memoryText(node) })
}

export function tenantView(deps: Deps): View<NodeTenant> {
  const amount = (of: 'cpuCores' | 'memoryBytes') => (tenant: NodeTenant) => pair(tenant, of)
  return {
    columns: [
      { title: 'column.owner', value: ({ owner }) => ownerText(deps, owner) },
      { title: 'column.instance', value: ({ owner }) => instanceName(owner) },
      { title: 'column.state', value: ({ state }) => instanceText(deps.language, state, {}) },
      { title: 'column.cpu', value: amount('cpuCores') },
      { title: 'column.memory', value: (tenant) => `${amount('memoryBytes')(tenant)} MiB` },
    ],
    name: ({ owner }) => (owner.kind === 'workload' ? owner.instanceId : ownerText(deps, owner)),
  }
}

function ownerText(deps: Deps, owner: NodeTenant['owner']): string {
  if (owner.kind === 'workload') return owner.workload.name
  if (owner.kind === 'build') return deps.text('node.build', { project: owner.project })
  if (owner.kind === 'hidden') return deps.text('node.hidden', { number: owner.number })
  return owner.namespace ?? deps.text('node.other')
}

function instanceName(owner: NodeTenant['owner']): string {
  if (owner.kind === 'workload') return owner.instanceId.slice(owner.instanceId.indexOf('.') + 1)
  if (owner.kind === 'build') return owner.buildId
  return owner.kind === 'other' ? (owner.name ?? '') : ''
}

/** `used / asked for`. */
function pair({ use, requested }: NodeTenant, of: keyof ResourceAmount): string {
  const unit = of === 'memoryBytes' ? MIB : 1
  return [use?.[of], requested[of]]
    .map((value) => rounded(value === undefined ? undefined : value / unit))
    .join(' / ')
}
