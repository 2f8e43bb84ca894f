import { statusErrors, type StatusError } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { podSecurityViolations } from '../admission/index.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { View } from '../store/index.ts'
import { qualified } from './incoming.ts'
import type { ResourceDefinition } from './resources.ts'

/** The classes that every cluster has; there are no others here. */
export const PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

/** @throws {StatusError} 404 for a namespace that is not there, 403 for one that is going */
export function admitNamespace(
  head: View,
  definition: ResourceDefinition,
  namespace: string,
  body: JsonObject,
): void {
  const found = head.get('namespaces', undefined, namespace)
  if (!found) throw statusErrors.notFound('namespaces', '', namespace)
  if (found.metadata.deletionTimestamp === undefined) return
  const name = textOf(objectOf(body['metadata'])['name'])
  throw statusErrors.forbidden(
    `${qualified(definition)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      name,
      group: definition.group,
      kind: definition.plural,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  )
}

/** @throws {StatusError} 403 for a missing ServiceAccount, or what the namespace's Pod Security level does not allow */
export function admitPod(head: View, pod: AnyObject): void {
  const { namespace, name } = pod.metadata
  const refuse = (why: string): StatusError =>
    statusErrors.forbidden(`pods "${name}" is forbidden: ${why}`, { name, kind: 'pods' })
  const spec = objectOf(pod['spec'])
  const account = textOf(spec['serviceAccountName'])
  // `default` is made by a controller a moment after its namespace; waiting for that would only make clients retry.
  if (account !== 'default' && !head.get('serviceaccounts', namespace, account))
    throw refuse(
      `error looking up service account ${namespace ?? ''}/${account}: serviceaccount "${account}" not found`,
    )
  const priorityClass = textOf(spec['priorityClassName'])
  if (priorityClass !== '' && !Object.hasOwn(PRIORITIES, priorityClass))
    throw refuse(`no PriorityClass with name ${priorityClass} was found`)
  const labels = head.get('namespaces', undefined, namespace ?? '')?.metadata.labels ?? {}
  if (labels['pod-security.kubernetes.io/enforce'] !== 'restricted') return
  const violations = podSecurityViolations(spec)
  if (violations.length === 0) return
  const version = labels['pod-security.kubernetes.io/enforce-version'] ?? 'latest'
  throw refuse(`violates PodSecurity "restricted:${version}": ${violations.join(', ')}`)
}

/** @throws {StatusError} 422 for a finalizer added to an object that is being deleted */
export function refuseNewFinalizers(definition: ResourceDefinition, next: AnyObject, old: AnyObject): void {
  if (old.metadata.deletionTimestamp === undefined) return
  const before = new Set(old.metadata.finalizers)
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer))
  if (added.length === 0) return
  throw statusErrors.invalid(definition.kind, definition.group, old.metadata.name, [
    {
      reason: 'FieldValueForbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => JSON.stringify(one)).join(', ')}}`,
      field: 'metadata.finalizers',
    },
  ])
}
