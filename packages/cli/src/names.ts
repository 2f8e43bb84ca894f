import { must } from '@slipway/kit'
import { itemsOf } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'

/*
 * What people write for an object becomes its id here. An id is taken as it is; a name is looked up where it must be
 * unique. Parts that are left out come from the context: `api` means the context's Project and Environment.
 */

type Named = { readonly id: string }

const CANDIDATES_MAX = 5

/** True for an id with one of our prefixes. */
export function isId(text: string, prefix: string): boolean {
  return new RegExp(`^${prefix}_[0-9a-z]{26}$`, 'u').test(text)
}

/** The parts of a Workload's name, the missing ones from the context. Pure. @throws {AppError} `name_incomplete` */
export function workloadParts(
  name: string,
  context: { readonly project?: string | undefined; readonly environment?: string | undefined },
): { readonly project: string; readonly application: string; readonly environment: string } {
  const parts = name.split('/')
  const [project, application, environment] =
    parts.length === 3
      ? parts
      : parts.length === 2
        ? [context.project, ...parts]
        : [context.project, parts[0], context.environment]
  if (parts.length > 3 || !application)
    throw cliErrors.argument_invalid({ argument: 'workload', problem: name })
  if (!project) throw cliErrors.name_incomplete({ name, missing: 'project' })
  if (!environment) throw cliErrors.name_incomplete({ name, missing: 'environment' })
  return { project, application, environment }
}

/** Id of an Organization by slug or id; the context's when nothing is given. */
export async function organizationIdOf(deps: Deps, given: string | undefined): Promise<string> {
  const name = given ?? deps.server().context?.organization
  if (name === undefined) throw cliErrors.name_needed({ kind: 'organization' })
  if (isId(name, 'org')) return name
  const { items } = await deps.api().listOrganizations({ slug: name }, { signal: deps.signal })
  return onlyOne('organization', name, items)
}

/** Id of a Project by slug or id; the context's when nothing is given. */
export async function projectIdOf(deps: Deps, given: string | undefined): Promise<string> {
  const name = given ?? deps.server().context?.project
  if (name === undefined) throw cliErrors.name_needed({ kind: 'project' })
  if (isId(name, 'prj')) return name
  const { items } = await deps.api().listProjects({ slug: name }, { signal: deps.signal })
  return onlyOne('project', name, items)
}

/** `project/environment` in its two parts, the Project from the context when it is left out. Pure. */
export function environmentParts(
  name: string,
  project: string | undefined,
): { readonly project: string; readonly environment: string } {
  const parts = name.split('/')
  const [ofName, environment] = parts.length === 2 ? parts : [project, parts[0]]
  if (parts.length > 2 || !environment)
    throw cliErrors.argument_invalid({ argument: 'environment', problem: name })
  if (!ofName) throw cliErrors.name_incomplete({ name, missing: 'project' })
  return { project: ofName, environment }
}

/** Id of an Environment by `project/environment`, its name within the context's Project, or id. */
export async function environmentIdOf(deps: Deps, name: string, project?: string): Promise<string> {
  if (isId(name, 'env')) return name
  const parts = environmentParts(name, project ?? deps.server().context?.project)
  const projectId = await projectIdOf(deps, parts.project)
  const found: Named[] = []
  for await (const environment of itemsOf(
    deps.api().pages.listEnvironments({ project: projectId, limit: 200 }, { signal: deps.signal }),
  ))
    if (environment.slug === parts.environment) found.push(environment)
  return onlyOne('environment', name, found)
}

/** Id of a Workload by `project/application/environment` (missing parts from the context) or id. */
export async function workloadIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'wrk')) return given
  const { project, application, environment } = workloadParts(given, deps.server().context ?? {})
  const name = `${project}/${application}/${environment}`
  const { items } = await deps.api().listWorkloads({ name }, { signal: deps.signal })
  return onlyOne('workload', name, items)
}

/** `project/application` in its two parts, the Project from the context when it is left out. Pure. */
export function applicationParts(
  name: string,
  project: string | undefined,
): { readonly project: string; readonly application: string } {
  const parts = name.split('/')
  const [ofName, application] = parts.length === 2 ? parts : [project, parts[0]]
  if (parts.length > 2 || !application)
    throw cliErrors.argument_invalid({ argument: 'application', problem: name })
  if (!ofName) throw cliErrors.name_incomplete({ name, missing: 'project' })
  return { project: ofName, application }
}

/** Id of an Application by `project/application`, its name within the context's Project, or id. */
export async function applicationIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'app')) return given
  const { project, application } = applicationParts(given, deps.server().context?.project)
  const { items } = await deps
    .api()
    .listApplications(
      { project: await projectIdOf(deps, project), slug: application },
      { signal: deps.signal },
    )
  return onlyOne('application', given, items)
}

/** Id of a Cluster by name or id. */
export async function clusterIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'clu')) return given
  const found: Named[] = []
  for await (const cluster of itemsOf(deps.api().pages.listClusters({ limit: 200 }, { signal: deps.signal })))
    if (cluster.slug === given) found.push(cluster)
  return onlyOne('cluster', given, found)
}

/** Id of a Location by name or id. */
export async function locationIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'loc')) return given
  const found: Named[] = []
  for await (const location of itemsOf(
    deps.api().pages.listLocations({ limit: 200 }, { signal: deps.signal }),
  ))
    if (location.slug === given) found.push(location)
  return onlyOne('location', given, found)
}

/** Id of a Pool by name or id. @param options - narrows to one Cluster, which only names need */
export async function poolIdOf(
  deps: Deps,
  given: string,
  options: { readonly cluster?: string | undefined },
): Promise<string> {
  if (isId(given, 'pol')) return given
  const cluster = options.cluster === undefined ? undefined : await clusterIdOf(deps, options.cluster)
  const found: Named[] = []
  const pages = deps.api().pages.listPools({ cluster, limit: 200 }, { signal: deps.signal })
  for await (const pool of itemsOf(pages)) if (pool.slug === given) found.push(pool)
  return onlyOne('pool', given, found)
}

/** Id of a Release: as it is, `<workload>#<number>`, or a Workload for its newest one. */
export async function releaseIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'rel')) return given
  const [name = '', number] = given.split('#')
  if (number !== undefined && !/^[1-9][0-9]{0,8}$/u.test(number))
    throw cliErrors.argument_invalid({ argument: 'release', problem: given })
  const workload = await workloadIdOf(deps, name)
  const pages = deps
    .api()
    .pages.listReleases({ workload, limit: number === undefined ? 1 : 200 }, { signal: deps.signal })
  for await (const release of itemsOf(pages))
    if (number === undefined || release.number === Number(number)) return release.id
  throw cliErrors.name_unknown({ kind: 'release', name: given })
}

/** Id of a build: as it is, `<application>#<number>`, or an Application for its newest one. */
export async function buildIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'bld')) return given
  const [name = '', number] = given.split('#')
  if (number !== undefined && !/^[1-9][0-9]{0,8}$/u.test(number))
    throw cliErrors.argument_invalid({ argument: 'build', problem: given })
  const application = await applicationIdOf(deps, name)
  const pages = deps
    .api()
    .pages.listBuilds({ application, limit: number === undefined ? 1 : 200 }, { signal: deps.signal })
  for await (const build of itemsOf(pages))
    if (number === undefined || build.number === Number(number)) return build.id
  throw cliErrors.name_unknown({ kind: 'build', name: given })
}

/** Id of an Image: as it is, `<application>:<tag>`, or `<application>@<digest>` with a digest that may be cut. */
export async function imageIdOf(deps: Deps, given: string): Promise<string> {
  if (isId(given, 'img')) return given
  const match = /^([^:@]+)(?::([^:@]+)|@(sha256:[0-9a-f]{6,64}))$/u.exec(given)
  if (!match) throw cliErrors.argument_invalid({ argument: 'image', problem: given })
  const [, name = '', tag, digest] = match
  const application = await applicationIdOf(deps, name)
  const pages = deps.api().pages.listImages({ application, limit: 200 }, { signal: deps.signal })
  for await (const image of itemsOf(pages)) {
    const isMeant = tag === undefined ? image.digest.startsWith(digest ?? '-') : image.tags.includes(tag)
    if (isMeant) return image.id
  }
  throw cliErrors.name_unknown({ kind: 'image', name: given })
}

const INSTANCE_ID = /^wrk_[0-9a-z]{26}\.[a-z0-9][a-z0-9.-]{0,201}$/u

/** As lists show it: `<application>-<process>-<hash of the version>-<what the Cluster adds>`, so never the name of a Workload. */
const INSTANCE_NAME = /^[a-z][a-z0-9-]*-[0-9a-f]{8}-[a-z0-9-]*[a-z0-9]$/u

async function instanceIdByName(deps: Deps, name: string): Promise<string> {
  const pages = deps.api().pages.searchInstances({ text: name, limit: 200 }, { signal: deps.signal })
  for await (const instance of itemsOf(pages)) if (instance.name === name) return instance.id
  throw cliErrors.name_unknown({ kind: 'instance', name })
}

/** Id of an Instance: as it is, by its name in lists, or `project/application/environment/instance`. */
export async function instanceIdOf(deps: Deps, given: string): Promise<string> {
  if (INSTANCE_ID.test(given)) return given
  const parts = given.split('/')
  if (INSTANCE_NAME.test(given)) return instanceIdByName(deps, given)
  const name = parts.length === 4 ? parts.at(-1) : undefined
  if (!name)
    throw cliErrors.argument_expected({
      argument: 'instance',
      expected: 'project/application/environment/instance',
    })
  return `${await workloadIdOf(deps, parts.slice(0, 3).join('/'))}.${name}`
}

/** A Workload, or one Instance of it, whichever is named. */
export async function workloadOrInstance(
  deps: Deps,
  given: string,
): Promise<{ readonly workload: string; readonly instance: string | undefined }> {
  if (!INSTANCE_ID.test(given) && !INSTANCE_NAME.test(given) && given.split('/').length < 4)
    return { workload: await workloadIdOf(deps, given), instance: undefined }
  const instance = await instanceIdOf(deps, given)
  return { workload: instance.slice(0, instance.indexOf('.')), instance }
}

/** Id of a user by sign-in name or id. */
export async function userIdOf(deps: Deps, name: string): Promise<string> {
  if (isId(name, 'usr')) return name
  const { items } = await deps.api().listUsers({ name }, { signal: deps.signal })
  return onlyOne('user', name, items)
}

/** @throws {AppError} `name_unknown`, `name_ambiguous` */
function onlyOne(kind: string, name: string, found: readonly Named[]): string {
  if (found.length === 0) throw cliErrors.name_unknown({ kind, name })
  if (found.length > 1) {
    const ids = found.slice(0, CANDIDATES_MAX).map(({ id }) => id)
    throw cliErrors.name_ambiguous({ kind, name, ids: ids.join(', ') })
  }
  return must(found[0], 'there is exactly one').id
}
