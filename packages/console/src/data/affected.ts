import type { ChangeType } from '@slipway/contract'
import type { OperationName } from '@slipway/sdk'

/** Which answers may differ once an object of a type has changed. */
const affected: Readonly<Record<ChangeType, readonly OperationName[]>> = {
  organization: ['listOrganizations', 'getOrganization'],
  project: ['listProjects', 'getProject', 'listApplications'],
  environment: ['listEnvironments', 'getEnvironment'],
  member: ['listMembers', 'whoami'],
  application: ['listApplications', 'getApplication', 'searchWorkloads'],
  source: ['getSource', 'listCommits', 'listSourceRefs', 'resolveRef'],
  workload: ['listWorkloads', 'getWorkload', 'searchWorkloads', 'listConfigRevisions', 'listInstances'],
  build: ['listBuilds', 'getBuild', 'searchBuilds'],
  image: ['listImages', 'getImage'],
  release: ['listReleases', 'getRelease', 'searchReleases', 'listGates', 'searchWorkloads', 'listImages'],
  instances: ['listInstances', 'getInstance', 'searchInstances', 'searchWorkloads', 'listNodes'],
  cluster: ['listClusters', 'getCluster', 'listNodes'],
  user: ['listUsers', 'whoami'],
}

/** Whether an operation's answer may differ after changes of these types. Pure. */
export function affectedBy(types: ReadonlySet<ChangeType>, operation: string): boolean {
  return [...types].some((type) => affected[type].some((name) => name === operation))
}
