import type { Change, ChangeType } from '@slipway/contract'

import type { JsonName } from '../queries.ts'

/*
 * Which answers a change makes old. A change is a name without data; an answer is known by its operation and its request. So
 * an operation says of which kinds of objects its answer is made, and a request that names an object leaves out the changes
 * of others. Rather once too often than once too seldom: where a change does not say what the request asks for, it counts.
 */

type Told = {
  readonly types: readonly ChangeType[]
  /** A part of it changes without being told (what is used, what a Cluster says): it is asked for now and then as well. */
  readonly drifts?: true
}

const RUNNING = ['release', 'instances', 'workload', 'application', 'environment', 'project'] as const
const RELEASES = ['release', 'workload', 'application', 'environment', 'project'] as const
const never: Told = { types: [] }
/** Nobody tells of it: asked for as often as the screen wants. */
const untold: Told = { types: [], drifts: true }

/** Every reading operation that answers JSON; a test finds the ones that are missing. */
export const told: Readonly<Partial<Record<JsonName, Told>>> = {
  getVersion: never,
  getHealth: never,
  getFirstRun: never,
  getDeviceSignIn: never,
  whoami: { types: ['user', 'member'] },
  listUsers: { types: ['user'] },
  listPermissions: { types: ['user', 'member'] },
  listTokens: untold,
  listOrganizations: { types: ['organization', 'member'] },
  getOrganization: { types: ['organization'] },
  listProjects: { types: ['project', 'organization', 'member'] },
  getProject: { types: ['project'] },
  listEnvironments: { types: ['environment', 'project'] },
  getEnvironment: { types: ['environment'] },
  listMembers: { types: ['member', 'user', 'project'] },
  listAuditEvents: untold,
  listOrganizationAuditEvents: untold,
  verifyAudit: never,
  listClusters: { types: ['cluster'], drifts: true },
  getCluster: { types: ['cluster'], drifts: true },
  getClusterManifest: { types: ['cluster'] },
  listNodes: { types: ['cluster'], drifts: true },
  listApplications: { types: ['application', 'project'] },
  getApplication: { types: ['application'] },
  listWorkloads: { types: ['workload', 'application', 'environment', 'project'] },
  getWorkload: { types: ['workload', 'release', 'application', 'environment'] },
  listConfigRevisions: { types: ['workload'] },
  listReleases: { types: ['release', 'workload'] },
  getRelease: { types: ['release'] },
  listReleaseEvents: { types: ['release'] },
  getReleaseDiff: never,
  exportWorkload: { types: ['workload', 'release'] },
  listInstances: { types: ['instances', 'release'], drifts: true },
  listLocations: { types: ['cluster'], drifts: true },
  listLocationGrants: untold,
  listPools: untold,
  getPool: untold,
  getRentPreview: untold,
  listRents: untold,
  listNodeLabels: untold,
  getNode: untold,
  getDrainPreview: untold,
  listEvacuations: untold,
  getEvacuation: untold,
  getNeighbours: untold,
  getInstance: { types: ['instances'], drifts: true },
  listInstanceEvents: { types: ['instances'], drifts: true },
  getSource: { types: ['source'] },
  listSourceRefs: { types: ['source'] },
  listCommits: { types: ['source'] },
  resolveRef: { types: ['source'] },
  listBuilds: { types: ['build'] },
  getBuild: { types: ['build', 'image'] },
  getBuildCache: { types: ['build'] },
  listImages: { types: ['image'] },
  getImage: { types: ['image'] },
  listBaseImages: { types: ['image'] },
  searchWorkloads: { types: RUNNING, drifts: true },
  searchReleases: { types: RELEASES },
  listGates: { types: [...RELEASES, 'member'] },
  searchInstances: { types: RUNNING, drifts: true },
  searchBuilds: { types: ['build', 'application', 'project'] },
}

function toldOf(name: unknown): Told {
  return told[name as JsonName] ?? untold
}

/** Longest time between two looks at what is not told of, and while nothing is told at all. */
const SLOW_MS = 15_000

/** How often an operation is asked again: as often as the screen wants, less often, or (false) not at all. Pure. */
export function intervalMs(name: string, wantedMs: number | false, isLive: boolean): number | false {
  if (wantedMs === false) return false
  const { types, drifts } = toldOf(name)
  if (types.length === 0) return wantedMs
  return isLive && drifts !== true ? false : Math.max(wantedMs, SLOW_MS)
}

/** Whether a change may have made the answer under this key (operation, request, …) an old one. Pure. */
export function isTouched(key: readonly unknown[], change: Change): boolean {
  const [name, request] = key
  if (!toldOf(name).types.includes(change.type)) return false
  const asked = request as Readonly<Record<string, unknown>> | undefined
  return Object.entries(placesOf(change)).every(([kind, id]) => {
    const wanted = asked?.[kind]
    // What is asked for by its short name, in which there is no `_`, cannot be compared.
    return id === null || typeof wanted !== 'string' || !wanted.includes('_') || wanted === id
  })
}

/** Whether an answer is made of one of these types; null means all of them, and whatever is not told of too. Pure. */
export function isMadeOf(key: readonly unknown[], types: readonly ChangeType[] | null): boolean {
  return types === null || toldOf(key[0]).types.some((type) => types.includes(type))
}

/** What a change says about where it was, by the names that requests have for it; null where it says nothing. */
function placesOf({ type, id, projectId, applicationId, workloadId }: Change) {
  const own = (kind: ChangeType): string | null => (type === kind ? id : null)
  return {
    project: projectId,
    application: applicationId,
    workload: workloadId,
    environment: own('environment'),
    release: own('release'),
    build: own('build'),
    image: own('image'),
    cluster: own('cluster'),
  }
}
