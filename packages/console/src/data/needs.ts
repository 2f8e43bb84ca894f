import type { Permission } from '@slipway/contract'

import type { JsonName } from './queries.ts'

/* What the operations take that the console offers, so that it can say so before somebody tries. A test compares them with the contract. */

type Needs = Readonly<Partial<Record<JsonName | 'openTerminal', Permission>>>

/** Taken at the place of the object that the operation is about. */
export const neededThere = {
  createSuborganization: 'organization:update',
  updateOrganization: 'organization:update',
  deleteOrganization: 'organization:delete',
  createProject: 'project:create',
  createEnvironment: 'environment:create',
  requestLocation: 'environment:create',
  setMember: 'member:update',
  removeMember: 'member:update',
  createApplication: 'application:create',
  setSource: 'source:update',
  createWorkload: 'workload:create',
  updateWorkload: 'workload:update',
  setVariables: 'workload:update',
  setPlacement: 'workload:update',
  scaleWorkload: 'workload:scale',
  restartWorkload: 'workload:restart',
  exportWorkload: 'workload:export',
  startBuild: 'build:create',
  cancelBuild: 'build:cancel',
  startRelease: 'release:create',
  redeployRelease: 'release:create',
  rollBackWorkload: 'release:create',
  pauseRelease: 'release:control',
  resumeRelease: 'release:control',
  promoteRelease: 'release:control',
  abortRelease: 'release:control',
  pinRelease: 'release:control',
  approveRelease: 'release:approve',
  restartInstance: 'instance:restart',
  openTerminal: 'instance:exec',
  listOrganizationAuditEvents: 'audit:read',
  listMembers: 'member:read',
} as const satisfies Needs

/** Taken over the installation as a whole. */
export const neededOverall = {
  createOrganization: 'organization:create',
  createUser: 'user:create',
  updateUser: 'user:update',
  createCluster: 'cluster:create',
  updateCluster: 'cluster:update',
  deleteCluster: 'cluster:delete',
  createLocation: 'cluster:create',
  updateLocation: 'cluster:update',
  deleteLocation: 'cluster:delete',
  setClusterLocation: 'cluster:update',
  decideLocationGrant: 'cluster:update',
  createPool: 'cluster:update',
  updatePool: 'cluster:update',
  deletePool: 'cluster:update',
  addPoolNode: 'cluster:update',
  removePoolNode: 'cluster:update',
  rentPool: 'cluster:update',
  endRent: 'cluster:update',
  registerAgent: 'cluster:create',
  renewAgentToken: 'cluster:update',
  revokeAgentToken: 'cluster:update',
  getClusterManifest: 'cluster:create',
  listUsers: 'user:read',
  listNodes: 'cluster:read',
  getNode: 'cluster:read',
  updateNode: 'cluster:update',
  startDrain: 'cluster:update',
  cancelDrain: 'cluster:update',
  listAuditEvents: 'audit:read',
  rotateClusterCredentials: 'cluster:update',
} as const satisfies Needs

/** Operations that a control of the console stands for. */
export type Doing = keyof typeof neededThere | keyof typeof neededOverall
