import type * as contract from '@slipway/contract'

import type { Environment, Organization, Project } from './model.ts'

export function organizationView(organization: Organization): contract.Organization {
  return {
    id: organization.id,
    slug: organization.slug,
    name: organization.name,
    parentId: organization.parentId,
    createdAt: organization.createdAt.toISOString(),
  }
}

export function projectView(project: Project): contract.Project {
  return { ...project, createdAt: project.createdAt.toISOString() }
}

export function environmentView(environment: Environment): contract.Environment {
  return {
    id: environment.id,
    projectId: environment.projectId,
    slug: environment.slug,
    name: environment.name,
    clusterId: environment.clusterId,
    createdAt: environment.createdAt.toISOString(),
  }
}
