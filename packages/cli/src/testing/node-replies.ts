import type { Node, NodeDetail, NodeLoad, NodeTenant } from '@slipway/contract'

const createdAt = '2026-01-15T08:30:00.000Z'
const GIB = 1024 ** 3

/** What the stand-in answers about a node and what is on it. */
export function nodeReplies(ids: Readonly<Record<'cluster' | 'project' | 'workload', string>>, node: Node) {
  const tail = ids.cluster.slice(4)
  const workload = {
    id: ids.workload,
    name: 'shop/api/test',
    organizationId: `org_${tail}`,
    projectId: ids.project,
    applicationId: `app_${tail}`,
    environmentId: `env_${tail}`,
    clusterId: ids.cluster,
  }
  const tenants: readonly NodeTenant[] = [
    {
      owner: { kind: 'hidden', number: 1 },
      state: 'Ready',
      requested: { cpuCores: 2, memoryBytes: 4 * GIB },
      use: { cpuCores: 3.456, memoryBytes: 4.5 * GIB },
      createdAt,
    },
    {
      owner: {
        kind: 'workload',
        workload,
        instanceId: `${ids.workload}.api-web-1a2b3c4d-x7k2p`,
        process: 'web',
      },
      state: 'Failing',
      requested: { cpuCores: 0.05, memoryBytes: GIB / 8 },
      use: { cpuCores: 0.013, memoryBytes: GIB / 16 },
      createdAt,
    },
    {
      owner: { kind: 'build', buildId: `bld_${tail}`, projectId: ids.project, project: 'shop' },
      state: 'Running',
      requested: { cpuCores: 0.5, memoryBytes: GIB },
      use: null,
      createdAt,
    },
    {
      owner: { kind: 'other', namespace: 'kube-system', name: 'coredns-5d78c9869d-abcde' },
      state: 'Ready',
      requested: { cpuCores: 0.1, memoryBytes: 0 },
      use: null,
      createdAt,
    },
  ]
  const load: NodeLoad = {
    name: node.name,
    ready: true,
    schedulable: false,
    capacity: { cpuCores: 8, memoryBytes: 32 * GIB, instancesMax: 110 },
    requested: { cpuCores: 2.65, memoryBytes: 5.125 * GIB },
    use: { cpuCores: 3.6, memoryBytes: 6 * GIB },
  }
  const detail: NodeDetail = {
    ...load,
    clusterId: ids.cluster,
    addresses: node.addresses,
    kubeletVersion: node.kubeletVersion,
    labels: node.labels,
    shares: [
      {
        project: { id: ids.project, slug: 'shop' },
        instances: 2,
        requested: { cpuCores: 0.55, memoryBytes: 1.125 * GIB },
        use: null,
        share: 0.07,
      },
      {
        project: null,
        instances: 1,
        requested: { cpuCores: 0.1, memoryBytes: 0 },
        use: null,
        share: 0.0125,
      },
    ],
    tenants: [...tenants],
  }
  return {
    [`GET /v1/clusters/${ids.cluster}/nodes/${node.name}`]: { body: detail },
    [`GET /v1/instances/${ids.workload}.api-web-1a2b3c4d-x7k2p/neighbours`]: {
      body: { clusterId: ids.cluster, node: load, tenants },
    },
  }
}
