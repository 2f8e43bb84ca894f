import type { AnyObject, Objects, Resource, Stored } from '../model.ts'
import { definitions } from '../registry/resources.ts'
import { timeText, withCondition } from './conditions.ts'
import { type Again, forEachBounded, isStatus, type Parts, runController, unlessGone } from './kit.ts'

const MANAGER = 'namespace-controller'
const ROOT_CA = 'kube-root-ca.crt'
const WRITES_AT_ONCE = 16
const AGAIN_MS = 1_000
const CONTENTS_PER_PASS = 1_000

type Condition = NonNullable<NonNullable<Stored<'namespaces'>['status']>['conditions']>[number]

/** Gives every namespace its ServiceAccount and root certificate, and empties the ones that are being deleted. */
export function startNamespaceController(parts: Parts, caCertificate: string): AsyncDisposable {
  return runController(parts, {
    name: MANAGER,
    concurrency: 4,
    keysOf(change) {
      if (change.resource === 'namespaces') return [change.object.metadata.name]
      const namespace = change.object.metadata.namespace
      if (namespace === undefined) return []
      if (change.type === 'DELETED' && isEnding(parts, namespace)) return [namespace]
      const isOurs = change.resource === 'serviceaccounts' || change.resource === 'configmaps'
      return isOurs && change.type !== 'ADDED' ? [namespace] : []
    },
    firstKeys: () => parts.registry.list('namespaces').map((namespace) => namespace.metadata.name),
    async reconcile(name) {
      const namespace = parts.registry.get('namespaces', undefined, name)
      if (!namespace) return {}
      if (namespace.metadata.deletionTimestamp !== undefined) return emptyNamespace(parts, namespace)
      await furnish(parts, name, caCertificate)
      return {}
    },
  })
}

function isEnding({ registry }: Parts, name: string): boolean {
  return registry.get('namespaces', undefined, name)?.metadata.deletionTimestamp !== undefined
}

async function furnish({ registry }: Parts, namespace: string, caCertificate: string): Promise<void> {
  if (!registry.get('serviceaccounts', namespace, 'default'))
    await unlessPresent(
      registry.create(
        'serviceaccounts',
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
        'service-account-controller',
      ),
    )
  const data = { 'ca.crt': caCertificate }
  const description =
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints.'
  const wanted: Objects['configmaps'] = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: ROOT_CA, namespace, annotations: { 'kubernetes.io/description': description } },
    data,
  }
  const present = registry.get('configmaps', namespace, ROOT_CA)
  if (!present) await unlessPresent(registry.create('configmaps', wanted, 'root-ca-certificate-publisher'))
  else if (present.data?.['ca.crt'] !== caCertificate)
    await registry.update('configmaps', { ...present, data }, 'root-ca-certificate-publisher')
}

/** Somebody made it in between, or the namespace is going: either way it is as it should be. */
async function unlessPresent(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (thrown) {
    if (!isStatus(thrown, 'AlreadyExists', 'NotFound', 'Forbidden')) throw thrown
  }
}

type Content = { readonly resource: Resource; readonly object: AnyObject }

async function emptyNamespace(parts: Parts, namespace: Stored<'namespaces'>): Promise<Again> {
  const name = namespace.metadata.name
  const contents = contentsOf(parts, name)
  const removable = contents.filter(({ object }) => object.metadata.deletionTimestamp === undefined)
  await forEachBounded(removable.slice(0, CONTENTS_PER_PASS), WRITES_AT_ONCE, ({ resource, object }) =>
    unlessGone(
      parts.registry.remove(resource, name, object.metadata.name, {
        propagationPolicy: 'Background',
        preconditions: { uid: object.metadata.uid },
      }),
    ),
  )
  const rest = contentsOf(parts, name)
  if (rest.length > 0) {
    await writeConditions(parts, name, rest)
    return { againInMs: AGAIN_MS }
  }
  const present = parts.registry.get('namespaces', undefined, name)
  if (!present) return {}
  const finalizers = (present.spec?.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes')
  await unlessGone(
    parts.registry.update('namespaces', { ...present, spec: { ...present.spec, finalizers } }, MANAGER),
  )
  return {}
}

function contentsOf({ registry }: Parts, namespace: string): readonly Content[] {
  const seen = new Set<Resource>()
  return definitions.flatMap(({ resource, namespaced }) => {
    // Two definitions may show the same kept objects.
    if (!namespaced || seen.has(resource)) return []
    seen.add(resource)
    const objects = registry.list(resource, namespace) as unknown as readonly AnyObject[]
    return objects.map((object) => ({ resource, object }))
  })
}

async function writeConditions(
  { registry, clock }: Parts,
  name: string,
  rest: readonly Content[],
): Promise<void> {
  const namespace = registry.get('namespaces', undefined, name)
  if (!namespace) return
  const now = timeText(clock.now())
  let conditions: readonly Condition[] = namespace.status?.conditions ?? []
  for (const condition of conditionsOf(rest)) conditions = withCondition(conditions, condition, now)
  await registry.updateStatus(
    'namespaces',
    { ...namespace, status: { ...namespace.status, conditions } },
    MANAGER,
  )
}

/** What still stands in the way, in the words of the real controller. */
function conditionsOf(rest: readonly Content[]): readonly Condition[] {
  const counts = new Map<string, number>()
  const finalizers = new Map<string, number>()
  for (const { resource, object } of rest) {
    const definition = definitions.find((one) => one.resource === resource)
    const kind = `${resource}.${definition?.group ?? ''}`
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    for (const finalizer of object.metadata.finalizers ?? [])
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
  }
  const text = (map: ReadonlyMap<string, number>, verb: string): string =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]) => `${key} ${verb} ${count} resource instances`)
      .join(', ')
  return [
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${text(counts, 'has')}`,
    },
    finalizers.size > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${text(finalizers, 'in')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ]
}
