/*
 * Who has how much of a node. Everybody who may see an Instance sees what takes the rest of its node, because only so they can
 * tell a neighbour's load from their own fault; whose it is they see where they may see the Project anyway.
 */
import { partsOf } from '../app/index.ts'
import { sumOf } from '../fleet/index.ts'
import type { Amount, NodeFacts, OwnedTenant, Owner, Share, Sight, Tenant } from './model.ts'

/** Part of a node, 0 to 1: the greater of CPU and memory. */
export function partOf(amount: Amount, capacity: Amount): number {
  const part = (taken: number, all: number): number => (all > 0 ? taken / all : 0)
  return Math.max(part(amount.cpuCores, capacity.cpuCores), part(amount.memoryBytes, capacity.memoryBytes))
}

/** Pods with their owners as far as they may be named, the greatest first. */
export function ownedTenants(
  tenants: readonly Tenant[],
  sight: Sight,
  capacity: Amount,
): readonly OwnedTenant[] {
  const weight = ({ use, requested }: Tenant): number => partOf(use ?? requested, capacity)
  const hidden = new Map<string, number>()
  const numberOf = (namespace: string): number => {
    const number = hidden.get(namespace) ?? hidden.size + 1
    hidden.set(namespace, number)
    return number
  }
  return tenants
    .toSorted((a, b) => weight(b) - weight(a) || nameOf(a).localeCompare(nameOf(b)))
    .map((tenant) => {
      const { namespace: _, name: __, claim: ___, ...shown } = tenant
      return { ...shown, owner: ownerOf(tenant, sight, numberOf) }
    })
}

function nameOf({ namespace, name }: Tenant): string {
  return `${namespace}/${name}`
}

function ownerOf(
  { claim, namespace, name }: Tenant,
  sight: Sight,
  numberOf: (namespace: string) => number,
): Owner {
  if (claim.kind === 'workload') {
    const workload = sight.workloads.get(claim.workloadId)
    if (workload)
      return { kind: 'workload', workload, instanceId: `${workload.id}.${name}`, process: claim.process }
  }
  if (claim.kind === 'build') {
    const build = sight.builds.get(claim.buildId)
    if (build) return { kind: 'build', ...build }
  }
  // A label proves nothing: who sees everything sees that it names nobody.
  if (sight.seesNodes) return { kind: 'other', namespace, name }
  return claim.kind === 'none'
    ? { kind: 'other', namespace: null, name: null }
    : { kind: 'hidden', number: numberOf(namespace) }
}

/** What each Project has of a node, the greatest first; what runs without Slipway is one of them. */
export function sharesOf(tenants: readonly OwnedTenant[], capacity: NodeFacts['capacity']): readonly Share[] {
  const groups = new Map<string, { readonly project: Share['project']; readonly tenants: OwnedTenant[] }>()
  for (const tenant of tenants) {
    const project = projectOf(tenant.owner)
    const key = project?.id ?? ''
    const group = groups.get(key) ?? { project, tenants: [] }
    group.tenants.push(tenant)
    groups.set(key, group)
  }
  return [...groups.values()]
    .map(({ project, tenants: own }): Share => {
      const requested = sumOf(own.map((one) => one.requested))
      const used = own.flatMap(({ use }) => (use === null ? [] : [use]))
      // Of some only it would look small without being it.
      const use = used.length === own.length ? sumOf(used) : null
      return { project, instances: own.length, requested, use, share: partOf(use ?? requested, capacity) }
    })
    .toSorted((a, b) => b.share - a.share || (a.project?.slug ?? '').localeCompare(b.project?.slug ?? ''))
}

function projectOf(owner: Owner): Share['project'] {
  if (owner.kind === 'build') return { id: owner.projectId, slug: owner.project }
  if (owner.kind !== 'workload') return null
  return { id: owner.workload.projectId, slug: partsOf(owner.workload).project }
}
