import type { Resource } from '../../model.ts'
import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, sameJson, textOf } from '../../schema/json.ts'
import {
  checkLabel,
  checkLabel1035,
  checkLabelValue,
  checkQualifiedName,
  checkSubdomain,
  IMMUTABLE,
} from './names.ts'
import type { Report } from './report.ts'

const ANNOTATIONS_MAX_BYTES = 256 * 1024
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

/** Checks `metadata` of any object: names, labels, annotations, finalizers, owners. */
export function validateMeta(resource: Resource, object: JsonObject, report: Report): void {
  const metadata = objectOf(object['metadata'])
  const name = textOf(metadata['name'])
  const generateName = textOf(metadata['generateName'])
  if (generateName !== '') {
    // The suffix that will be added makes a trailing hyphen harmless.
    report.each('metadata.generateName', generateName, checkName(resource, generateName.replace(/-$/, 'a')))
  }
  if (name !== '') report.each('metadata.name', name, checkName(resource, name))
  else if (generateName === '') report.required('metadata.name', 'name or generateName is required')
  validateLabels(metadata['labels'], 'metadata.labels', report)
  validateAnnotations(metadata['annotations'], 'metadata.annotations', report)
  for (const [index, finalizer] of listOf(metadata['finalizers']).entries()) {
    validateFinalizer(textOf(finalizer), index, report)
  }
  validateOwners(listOf(metadata['ownerReferences']), report)
}

function checkName(resource: Resource, name: string): readonly string[] {
  if (resource === 'services') return checkLabel1035(name)
  if (resource !== 'namespaces') return checkSubdomain(name)
  return name.includes('.') ? ['must not contain dots'] : checkLabel(name)
}

export function validateLabels(labels: unknown, field: string, report: Report): void {
  for (const [key, value] of Object.entries(objectOf(labels))) {
    report.each(field, key, checkQualifiedName(key))
    report.each(field, value, checkLabelValue(textOf(value)))
  }
}

export function validateAnnotations(annotations: unknown, field: string, report: Report): void {
  let sizeBytes = 0
  for (const [key, value] of Object.entries(objectOf(annotations))) {
    report.each(field, key, checkQualifiedName(key.toLowerCase()))
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(textOf(value))
  }
  if (sizeBytes > ANNOTATIONS_MAX_BYTES) report.tooLong(field, ANNOTATIONS_MAX_BYTES)
}

function validateFinalizer(finalizer: string, index: number, report: Report): void {
  const problems = checkQualifiedName(finalizer)
  report.each('metadata.finalizers', finalizer, problems)
  if (problems.length > 0 || finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return
  const why = 'name is neither a standard finalizer name nor is it fully qualified'
  report.invalid(`metadata.finalizers[${index}]`, finalizer, why)
}

function validateOwners(owners: readonly unknown[], report: Report): void {
  const field = 'metadata.ownerReferences'
  for (const owner of owners.map(objectOf)) {
    if (textOf(owner['apiVersion']) === '')
      report.invalid(`${field}.apiVersion`, '', 'version must not be empty')
    for (const key of ['kind', 'name', 'uid']) {
      if (textOf(owner[key]) === '') report.invalid(`${field}.${key}`, '', 'must not be empty')
    }
  }
  const controllers = owners.map(objectOf).filter((owner) => owner['controller'] === true)
  const [first, second] = controllers
  if (!first || !second) return
  const nameOf = (owner: JsonObject): string => `${textOf(owner['kind'])}/${textOf(owner['name'])}`
  report.invalid(
    field,
    owners,
    `Only one reference can have Controller set to true. Found "true" in references for ${nameOf(first)} and ${nameOf(second)}`,
  )
}

/** What an update may not do to `metadata`. */
export function validateMetaUpdate(object: JsonObject, old: JsonObject, report: Report): void {
  const metadata = objectOf(object['metadata'])
  const before = objectOf(old['metadata'])
  for (const key of ['name', 'namespace', 'uid', 'deletionTimestamp', 'deletionGracePeriodSeconds']) {
    const value = metadata[key]
    // A client that leaves such a field out means the one that is there.
    if (value !== undefined && !sameJson(value, before[key]))
      report.invalid(`metadata.${key}`, value, IMMUTABLE)
  }
  if (before['deletionTimestamp'] === undefined) return
  const known = listOf(before['finalizers'])
  const added = listOf(metadata['finalizers']).filter((finalizer) => !known.includes(finalizer))
  if (added.length === 0) return
  const names = added.map((finalizer) => JSON.stringify(finalizer)).join(', ')
  report.forbidden(
    'metadata.finalizers',
    `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`,
  )
}
