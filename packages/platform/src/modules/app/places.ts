/* Which Workloads and Applications a list over many of them is about. */
import type { Permission } from '@slipway/contract'

import type { Ctx } from '../../context.ts'
import { organizationsBelow, projectFilterOf } from '../access/index.ts'
import { findProjectSlugs } from '../tenancy/index.ts'
import type { WorkloadPlace } from './model.ts'
import * as queries from './queries.ts'

export type Narrowing = {
  /** This Organization and all below it. */
  readonly organization?: string | undefined
  readonly project?: string | undefined
  readonly application?: string | undefined
  readonly environment?: string | undefined
  readonly workload?: string | undefined
  readonly cluster?: string | undefined
}

type Asking = Pick<Ctx, 'db' | 'account'>

/** The Workloads that the caller has the permission for, by name. What one may not see is as if it were not there. */
export async function placesFor(
  { db, account }: Asking,
  permission: Permission,
  narrowing: Narrowing,
): Promise<WorkloadPlace[]> {
  const organizations = await belowOf({ db, account }, narrowing.organization)
  return queries.listPlaces(db, projectFilterOf(account.access, permission), { ...narrowing, organizations })
}

/** `project/application` of the Applications that the caller may see, by id. */
export async function applicationsFor(
  { db, account }: Asking,
  narrowing: Pick<Narrowing, 'organization' | 'project' | 'application'>,
): Promise<ReadonlyMap<string, string>> {
  const organizations = await belowOf({ db, account }, narrowing.organization)
  const filter = projectFilterOf(account.access, 'project:read')
  const found = await queries.listApplicationSlugs(db, filter, { ...narrowing, organizations })
  const projects = await findProjectSlugs(db, [...new Set(found.map(({ projectId }) => projectId))])
  return new Map(found.map(({ id, slug, projectId }) => [id, `${projects.get(projectId) ?? ''}/${slug}`]))
}

async function belowOf({ db }: Asking, organization: string | undefined): Promise<string[] | undefined> {
  if (organization === undefined) return undefined
  return (await organizationsBelow(db, [organization])).map(({ id }) => id)
}
