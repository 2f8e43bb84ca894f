import { unreachable } from '@slipway/kit'

import type { StatusCause } from '../errors.ts'
import type { Resource } from '../model.ts'
import { completeCustom, customSchemaOf } from '../schema/custom.ts'
import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf } from '../schema/json.ts'
import { normalizeObject } from '../schema/normalize.ts'
import { isCustom } from '../schema/types.ts'
import { completeStructure } from './defaults.ts'
import { identityOf } from './resources.ts'
import {
  validateConfigMap,
  validateEvent,
  validateLease,
  validateNode,
  validateResourceQuota,
  validateSecret,
} from './validate/config.ts'
import { validateCustom } from './validate/custom.ts'
import { validateMeta, validateMetaUpdate } from './validate/meta.ts'
import { validatePodSpec, validatePodUpdate } from './validate/pod.ts'
import type { Report } from './validate/report.ts'
import { createReport } from './validate/report.ts'
import { validateEndpointSlice, validateService } from './validate/service.ts'
import { validateDeployment, validateJob, validateReplicaSet } from './validate/workloads.ts'

export { podSecurityViolations } from './pod-security.ts'

/**
 * Fills in what the API server fills in for absent fields, and brings every value into its one spelling: unknown and empty
 * fields go, quantities and times are canonical. Doing it twice changes nothing. The object may lack apiVersion and kind.
 * Parts of a Job that carry its uid are filled in once `metadata.uid` is set.
 * @throws {StatusError} 400 when a value has the wrong type.
 */
export function defaultObject<T extends JsonObject>(resource: Resource, object: T): T {
  const { apiVersion, kind } = identityOf(resource, object)
  const identified = { ...object, apiVersion, kind }
  const completed = isCustom(apiVersion)
    ? defaultCustom(kind, identified)
    : normalizeObject(identified, completeStructure)
  // Filling in optional fields does not change the type of the object.
  return completed as T
}

function defaultCustom(kind: string, object: JsonObject): JsonObject {
  const schema = customSchemaOf(kind)
  const normalized = normalizeObject(object)
  return schema ? completeCustom(schema, normalized) : normalized
}

/**
 * What is wrong with a defaulted object, in the API server's words; empty when it may be kept. `old` is what is kept now and
 * is set on updates, which must leave immutable fields alone.
 */
export function validateObject(
  resource: Resource,
  object: JsonObject,
  old: JsonObject | undefined,
): StatusCause[] {
  const report = createReport()
  validateMeta(resource, object, report)
  if (old) validateMetaUpdate(object, old, report)
  validateKind(resource, object, old, report)
  return [...report.causes]
}

function validateKind(
  resource: Resource,
  object: JsonObject,
  old: JsonObject | undefined,
  report: Report,
): void {
  switch (resource) {
    case 'pods':
      return validatePod(object, old, report)
    case 'deployments':
      return validateDeployment(object, old, report)
    case 'replicasets':
      return validateReplicaSet(object, old, report)
    case 'jobs':
      return validateJob(object, old, report)
    case 'services':
      return validateService(object, old, report)
    case 'endpointslices':
      return validateEndpointSlice(object, old, report)
    case 'configmaps':
      return validateConfigMap(object, old, report)
    case 'secrets':
      return validateSecret(object, old, report)
    case 'resourcequotas':
      return validateResourceQuota(object, old, report)
    case 'nodes':
      return validateNode(object, old, report)
    case 'leases':
      return validateLease(object, report)
    case 'events':
      return validateEvent(object, report)
    case 'gatewayclasses':
    case 'gateways':
    case 'httproutes':
      return validateCustom(object, old, report)
    case 'namespaces':
    case 'serviceaccounts':
      return
    default:
      unreachable(resource)
  }
}

function validatePod(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  validatePodSpec(spec, 'spec', report)
  if (old) validatePodUpdate(spec, objectOf(old['spec']), report)
  else if (listOf(spec['ephemeralContainers']).length > 0) {
    report.forbidden('spec.ephemeralContainers', 'cannot be set on create')
  }
}
