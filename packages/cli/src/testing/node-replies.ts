import type {
  DrainPreview,
  EvacuationDetail,
  Location,
  LocationGrant,
  Node,
  NodeDetail,
  NodeLoad,
  NodeTenant,
} from '@slipway/contract'

import { poolReplies } from './pool-replies.ts'

const createdAt = '2026-01-15T08:30:00.000Z'
const GIB = 1024 ** 3

/** What the stand-in answers about Locations. */
function locationReplies(ids: Readonly<Record<'cluster' | 'project', string>>) {
  const tail = ids.cluster.slice(4)
  const location: Location = {
    id: `loc_${tail}`,
    slug: 'production',
    name: '生产',
    isDefault: false,
    restricted: true,
    clusters: [{ id: ids.cluster, slug: 'beijing' }],
    createdAt,
  }
  const grant: LocationGrant = {
    id: `lgr_${tail}`,
    location: { id: location.id, slug: location.slug },
    project: { id: ids.project, slug: 'shop' },
    state: 'Requested',
    reason: 'goes live in May',
    requestedBy: `usr_${tail}`,
    requestedByName: 'bea',
    requestedAt: createdAt,
    decidedBy: null,
    decidedByName: null,
    decidedAt: null,
    until: null,
    comment: '',
  }
  return {
    'GET /v1/locations': { body: { items: [location] } },
    'POST /v1/locations': { status: 201, body: location },
    [`PATCH /v1/locations/${location.id}`]: { body: location },
    [`DELETE /v1/locations/${location.id}`]: { status: 204 },
    [`PUT /v1/clusters/${ids.cluster}/location`]: { body: location },
    [`POST /v1/projects/${ids.project}/location-grants`]: { status: 201, body: grant },
    'GET /v1/location-grants': { body: { items: [grant] } },
    [`POST /v1/location-grants/${grant.id}/decision`]: {
      body: { ...grant, state: 'Granted', until: '2027-01-31T00:00:00.000Z' },
    },
  }
}

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
  const path = `/v1/clusters/${ids.cluster}/nodes/${node.name}`
  const preview: DrainPreview = {
    node: node.name,
    schedulable: true,
    otherNodes: 2,
    effects: [
      {
        workload,
        process: 'web',
        version: '1a2b3c4d',
        instances: 1,
        ready: 1,
        wanted: 2,
        interrupted: true,
        why: { code: 'evacuation_not_whole', params: { ready: 1, wanted: 2 } },
      },
    ],
    builds: 1,
    others: 3,
  }
  const { moves, ...drain }: EvacuationDetail = {
    id: `eva_${tail}`,
    clusterId: ids.cluster,
    node: node.name,
    kind: 'drain',
    state: 'Done',
    problem: null,
    startedBy: `usr_${tail}`,
    startedAt: createdAt,
    deadlineAt: createdAt,
    nodeBackAt: null,
    endedAt: createdAt,
    counts: { Waiting: 1, Leaving: 0, Moved: 1, Stayed: 0, Gone: 0 },
    moves: [
      {
        workload,
        process: 'web',
        version: '1a2b3c4d',
        instance: 'api-web-1a2b3c4d-x7k2p',
        state: 'Moved',
        since: createdAt,
        why: null,
        toInstance: 'api-web-1a2b3c4d-q9r8s',
        toNode: 'n2',
      },
      {
        workload,
        process: 'worker',
        version: '1a2b3c4d',
        instance: 'api-worker-1a2b3c4d-aaaaa',
        state: 'Waiting',
        since: createdAt,
        why: { code: 'evacuation_budget', params: { problem: 'it would violate the budget' } },
        toInstance: null,
        toNode: null,
      },
    ],
  }
  return {
    ...locationReplies(ids),
    ...poolReplies(ids, workload),
    [`PATCH ${path}`]: { body: { name: node.name, schedulable: false } },
    [`GET ${path}/drain-preview`]: { body: preview },
    [`POST ${path}/drains`]: { status: 202, body: drain },
    'GET /v1/evacuations': { body: { items: [drain] } },
    [`GET /v1/evacuations/${drain.id}`]: { body: { ...drain, moves } },
    [`POST /v1/evacuations/${drain.id}/cancellation`]: { body: drain },
    [`GET ${path}`]: { body: detail },
    [`GET /v1/instances/${ids.workload}.api-web-1a2b3c4d-x7k2p/neighbours`]: {
      body: { clusterId: ids.cluster, node: load, tenants },
    },
  }
}
