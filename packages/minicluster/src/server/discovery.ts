import { createHash } from 'node:crypto'

import { definitions, type Subresource, type Verb } from '../registry/resources.ts'
import type { JsonObject } from '../schema/json.ts'
import { isJsonRange, mediaRanges } from './negotiate.ts'

/*
 * Discovery says exactly what is served: the kept resources, the reviews and metrics. Clients ask either for everything
 * at once (aggregated, v2 or v2beta1: the one asked for is answered) or group by group.
 */
type Served = {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  readonly subresources: readonly Subresource[]
}

function virtual(group: string, kind: string, more: Partial<Served> = {}): Served {
  return {
    group,
    version: 'v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: false,
    verbs: ['create'],
    subresources: [],
    ...more,
  }
}

const metrics = { version: 'v1beta1', singular: '', verbs: ['get', 'list'] } as const

export const served: readonly Served[] = [
  ...definitions,
  virtual('authentication.k8s.io', 'SelfSubjectReview'),
  virtual('authorization.k8s.io', 'SelfSubjectAccessReview'),
  virtual('authorization.k8s.io', 'SelfSubjectRulesReview'),
  virtual('metrics.k8s.io', 'NodeMetrics', { ...metrics, plural: 'nodes' }),
  virtual('metrics.k8s.io', 'PodMetrics', { ...metrics, plural: 'pods', namespaced: true }),
]

/** Groups in the order of first mention, the core group ('') first. */
const groups = [...new Set(served.map(({ group }) => group))].map((group) => ({
  group,
  versions: [...new Set(served.filter((one) => one.group === group).map(({ version }) => version))],
}))

function resourcesOf(group: string, version: string): readonly Served[] {
  return served.filter((one) => one.group === group && one.version === version)
}

/** Every group version that is served, `v1` for the core. */
export function groupVersions(): { readonly group: string; readonly version: string }[] {
  return groups.flatMap(({ group, versions }) => versions.map((version) => ({ group, version })))
}

type Answer = { readonly body: JsonObject; readonly contentType: string; readonly etag?: string }
const JSON_TYPE = 'application/json'

/** The discovery document at a path such as `api`, `apis`, `apis/apps`, `apis/apps/v1`; undefined when there is none. */
export function discoveryAt(page: readonly string[], accept: string | undefined): Answer | undefined {
  const [root, group, version] = page
  if (page.length === 1 && (root === 'api' || root === 'apis')) {
    const aggregated = aggregatedVersion(accept)
    if (aggregated !== undefined) return aggregate(root, aggregated)
    return { body: root === 'api' ? CORE_VERSIONS : groupList(), contentType: JSON_TYPE }
  }
  if (root === 'api' && page.length === 2) return resourceList('', group ?? '')
  if (root !== 'apis') return undefined
  if (page.length === 3) return resourceList(group ?? '', version ?? '')
  const found = page.length === 2 ? groups.find((one) => one.group === group && group !== '') : undefined
  return found && { body: { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) }, contentType: JSON_TYPE }
}

const CORE_VERSIONS: JsonObject = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
}

function groupList(): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ group }) => group !== '').map(groupOf),
  }
}

function groupOf({ group, versions }: { group: string; versions: readonly string[] }): JsonObject {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: entries, preferredVersion: entries[0] }
}

function resourceList(group: string, version: string): Answer | undefined {
  const resources = resourcesOf(group, version)
  if (resources.length === 0) return undefined
  const body = {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap((one) => [
      {
        name: one.plural,
        singularName: one.singular,
        namespaced: one.namespaced,
        kind: one.kind,
        verbs: one.verbs,
        ...(one.shortNames.length === 0 ? {} : { shortNames: one.shortNames }),
        ...(one.categories.length === 0 ? {} : { categories: one.categories }),
      },
      ...one.subresources.map((subresource) => ({
        name: `${one.plural}/${subresource.name}`,
        singularName: '',
        namespaced: one.namespaced,
        ...(subresource.group === undefined
          ? {}
          : { group: subresource.group, version: subresource.version }),
        kind: subresource.kind,
        verbs: subresource.verbs,
      })),
    ]),
  }
  return { body, contentType: JSON_TYPE }
}

function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const range of mediaRanges(accept)) {
    if (!isJsonRange(range)) continue
    const as = range.parameters.get('as')
    if (as === undefined) return undefined
    const version = range.parameters.get('v')
    const ours = range.parameters.get('g') === 'apidiscovery.k8s.io' && as === 'APIGroupDiscoveryList'
    if (ours && (version === 'v2' || version === 'v2beta1')) return version
  }
  return undefined
}

function aggregate(root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Answer {
  const items = groups
    .filter(({ group }) => (group === '') === (root === 'api'))
    .map(({ group, versions }) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map((one) => ({
        version: one,
        resources: resourcesOf(group, one).map(aggregatedResource),
        freshness: 'Current',
      })),
    }))
  const body = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items,
  }
  return {
    body,
    contentType: `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    etag: `"${hashOf(body).toUpperCase()}"`,
  }
}

function aggregatedResource(one: Served): JsonObject {
  return {
    resource: one.plural,
    responseKind: { group: one.group, version: one.version, kind: one.kind },
    scope: one.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: one.singular,
    verbs: one.verbs,
    ...(one.shortNames.length === 0 ? {} : { shortNames: one.shortNames }),
    ...(one.categories.length === 0 ? {} : { categories: one.categories }),
    ...(one.subresources.length === 0
      ? {}
      : {
          subresources: one.subresources.map((subresource) => ({
            subresource: subresource.name,
            responseKind: {
              group: subresource.group ?? one.group,
              version: subresource.version ?? one.version,
              kind: subresource.kind,
            },
            verbs: subresource.verbs,
          })),
        }),
  }
}

/** A short hash of a document, for ETags and hashed addresses. */
export function hashOf(body: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 32)
}
