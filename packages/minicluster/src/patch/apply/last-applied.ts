/*
 * The one place where apply knows a client: `kubectl apply` keeps what it applied in an annotation, and whoever moves to
 * `kubectl apply --server-side` takes over the fields that stand there unchanged, and keeps the annotation up to date.
 */
import { canonicalJson, isRecord, parseJson } from '@slipway/kit'

import type { JsonObject } from '../../schema/json.ts'
import { objectOf, textOf, without } from '../../schema/json.ts'
import { normalizeObject } from '../../schema/normalize.ts'
import type { FieldSet } from './field-set.ts'
import { difference, union } from './field-set.ts'
import type { Owner } from './managed.ts'
import { withManagedFields } from './managed.ts'
import { shapeOf } from './update.ts'
import { compareObjects, fieldsIn } from './walk.ts'

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
const KUBECTL = 'kubectl'
const ANNOTATIONS_MAX_BYTES = 256 * 1024

/** Of the fields that an apply touches, those that the annotation does not already give to kubectl. */
export function withoutLastApplied(
  touched: FieldSet,
  request: { readonly manager: string; readonly live: JsonObject | undefined },
): FieldSet {
  if (request.manager !== KUBECTL || request.live === undefined) return touched
  const last = readLastApplied(request.live)
  if (last === undefined) return touched
  const shape = shapeOf(request.live)
  const { added, modified, removed } = compareObjects(shape, last, withManagedFields(request.live, []))
  const allowed = difference(fieldsIn(shape, last), union(union(modified, added), removed))
  return difference(touched, allowed)
}

function readLastApplied(live: JsonObject): JsonObject | undefined {
  const text = textOf(annotationsOf(live)[ANNOTATION])
  if (text === '') return undefined
  try {
    const last = parseJson(text)
    return isRecord(last) && last['apiVersion'] === live['apiVersion'] ? normalizeObject(last) : undefined
  } catch {
    // Anybody may write annotations; one that cannot be read gives no rights.
    return undefined
  }
}

/** Writes the annotation anew when kubectl applies to an object that has it; without it when it would be too large. */
export function setLastApplied(
  object: JsonObject,
  applied: JsonObject,
  by: Omit<Owner, 'fields'>,
): JsonObject {
  const annotations = annotationsOf(object)
  if (by.manager !== KUBECTL || textOf(annotations[ANNOTATION]) === '') return object
  const others = without(annotations, ANNOTATION)
  const text = `${canonicalJson(withoutAnnotation(applied))}\n`
  const sizeBytes = Buffer.byteLength(JSON.stringify({ ...others, [ANNOTATION]: text }))
  const metadata = {
    ...objectOf(object['metadata']),
    annotations: sizeBytes > ANNOTATIONS_MAX_BYTES ? others : { ...others, [ANNOTATION]: text },
  }
  return { ...object, metadata }
}

function withoutAnnotation(applied: JsonObject): JsonObject {
  const metadata = objectOf(applied['metadata'])
  if (!isRecord(metadata['annotations'])) return applied
  return { ...applied, metadata: { ...metadata, annotations: without(metadata['annotations'], ANNOTATION) } }
}

function annotationsOf(object: JsonObject): JsonObject {
  return objectOf(objectOf(object['metadata'])['annotations'])
}
