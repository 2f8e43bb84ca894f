import { expect, test } from 'vitest'

import type { WorkloadPlace } from '../app/index.ts'
import type { Claim, Sight, Tenant } from './model.ts'
import { ownedTenants, partOf, sharesOf } from './plan.ts'

const CAPACITY = { cpuCores: 4, memoryBytes: 1_000, instancesMax: 110 }

function tenant(name: string, claim: Claim, cpuCores: number, use?: number): Tenant {
  return {
    namespace: name.split('-')[0] ?? '',
    name,
    claim,
    state: 'Ready',
    requested: { cpuCores, memoryBytes: 0 },
    use: use === undefined ? null : { cpuCores: use, memoryBytes: 0 },
    createdAt: new Date(0),
  }
}
const place = (id: string, project: string): WorkloadPlace => ({
  id,
  organizationId: 'org',
  projectId: `prj_${project}`,
  applicationId: 'app',
  environmentId: 'env',
  clusterId: 'clu',
  name: `${project}/web/test`,
  urls: [],
})
const of = (workloadId: string): Claim => ({ kind: 'workload', workloadId, process: 'web' })
const tenants: readonly Tenant[] = [
  tenant('shop-1', of('wrk_shop'), 1, 0.5),
  tenant('shop-2', of('wrk_shop'), 1, 2),
  tenant('bank-1', of('wrk_bank'), 1, 3),
  tenant('bank-2', of('wrk_bank'), 1, 0.1),
  tenant('mail-1', of('wrk_mail'), 1, 1),
  tenant('mail-build', { kind: 'build', buildId: 'bld_mail' }, 0.2),
  tenant('kube-dns', { kind: 'none' }, 0.1, 0.05),
]
const workloads = new Map([['wrk_shop', place('wrk_shop', 'shop')]])
const developer: Sight = { workloads, builds: new Map(), seesNodes: false }
const operator: Sight = {
  workloads: new Map([
    ...workloads,
    ['wrk_bank', place('wrk_bank', 'bank')],
    ['wrk_mail', place('wrk_mail', 'mail')],
  ]),
  builds: new Map([['bld_mail', { buildId: 'bld_mail', projectId: 'prj_mail', project: 'mail' }]]),
  seesNodes: true,
}

test('a neighbour whom one may not see is a number, the same for all of one owner, and keeps its figures', () => {
  const seen = ownedTenants(tenants, developer, CAPACITY)
  expect(
    seen.map(({ owner, use }) => [owner.kind, 'number' in owner ? owner.number : '', use?.cpuCores]),
  ).toEqual([
    ['hidden', 1, 3],
    ['workload', '', 2],
    ['hidden', 2, 1],
    ['workload', '', 0.5],
    ['hidden', 2, undefined],
    ['hidden', 1, 0.1],
    ['other', '', 0.05],
  ])
  expect(JSON.stringify(seen)).not.toMatch(/bank|mail|kube/u)
})

test('who may read nodes sees everybody, and what only claims to be somebody by its own name', () => {
  const strange = tenant('stray-1', of('wrk_nobody'), 1)
  const seen = ownedTenants([...tenants, strange], operator, CAPACITY)
  expect(seen.map(({ owner }) => owner)).toContainEqual({
    kind: 'other',
    namespace: 'stray',
    name: 'stray-1',
  })
  expect(seen.map(({ owner }) => owner)).toContainEqual({
    kind: 'other',
    namespace: 'kube',
    name: 'kube-dns',
  })
})

test('shares are by Project and by use, and by what was asked for where use is known of some only', () => {
  const shares = sharesOf(ownedTenants(tenants, operator, CAPACITY), CAPACITY)
  expect(
    shares.map(({ project, instances, use, share }) => [project?.slug, instances, use?.cpuCores, share]),
  ).toEqual([
    ['bank', 2, 3.1, 0.775],
    ['shop', 2, 2.5, 0.625],
    ['mail', 2, undefined, 0.3],
    [undefined, 1, 0.05, 0.0125],
  ])
})

test('the greater of CPU and memory is what counts, and a node without capacity has no shares', () => {
  expect(partOf({ cpuCores: 1, memoryBytes: 900 }, CAPACITY)).toBe(0.9)
  expect(partOf({ cpuCores: 1, memoryBytes: 900 }, { cpuCores: 0, memoryBytes: 0 })).toBe(0)
})
