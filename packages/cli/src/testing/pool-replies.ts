import type { Pool, PoolRent, RentPreview, WorkloadPlace } from '@slipway/contract'

const createdAt = '2026-01-15T08:30:00.000Z'
const until = '2026-12-31T16:00:00.000Z'

/** What the stand-in answers about Pools. */
export function poolReplies(ids: Readonly<Record<'cluster' | 'project', string>>, workload: WorkloadPlace) {
  const tail = ids.cluster.slice(4)
  const project = { id: ids.project, slug: 'shop' }
  const pool: Pool = {
    id: `pol_${tail}`,
    clusterId: ids.cluster,
    slug: 'gpu',
    name: '显卡',
    exclusive: true,
    selector: { gpu: 'a100' },
    nodes: [
      { name: 'n1', by: 'labels', settled: true },
      { name: 'n2', by: 'name', settled: false },
    ],
    rent: { project, state: 'Ending', isDefault: true, from: createdAt, until },
    problem: { code: 'pool_nodes_missing', params: { count: 1, nodes: 'n2' } },
    deleting: false,
    createdAt,
  }
  const rent: PoolRent = {
    id: `rnt_${tail}`,
    pool: { id: pool.id, slug: pool.slug },
    clusterId: ids.cluster,
    project,
    state: 'Active',
    isDefault: true,
    comment: 'for the sale',
    rentedBy: `usr_${tail}`,
    from: createdAt,
    until,
    endedAt: null,
  }
  const preview: RentPreview = {
    nodes: ['n1', 'n2'],
    guests: [{ workload, instances: 2, nodes: ['n1'], stranger: true }],
    strangers: { workloads: 1, instances: 2 },
    builds: 1,
    others: 3,
  }
  const path = `/v1/pools/${pool.id}`
  return {
    'GET /v1/pools': { body: { items: [pool] } },
    [`POST /v1/clusters/${ids.cluster}/pools`]: { status: 201, body: pool },
    [`GET ${path}`]: { body: pool },
    [`PATCH ${path}`]: { body: pool },
    [`DELETE ${path}`]: { status: 204 },
    [`PUT ${path}/nodes/n3`]: { body: pool },
    [`DELETE ${path}/nodes/n3`]: { body: pool },
    [`GET ${path}/rent-preview`]: { body: preview },
    [`PUT ${path}/rent`]: { body: pool },
    [`DELETE ${path}/rent`]: { body: { ...pool, rent: null } },
    'GET /v1/rents': { body: { items: [rent] } },
    [`GET /v1/clusters/${ids.cluster}/node-labels`]: {
      body: {
        items: [
          {
            label: 'gpu',
            values: [
              { value: 'a100', nodes: 2 },
              { value: 'h100', nodes: 1 },
            ],
          },
        ],
      },
    },
  }
}
