import type { AnyObject } from '../model.ts'
import { present } from '../registry/events.ts'
import type { ResourceDefinition } from '../registry/resources.ts'
import type { JsonObject } from '../schema/json.ts'
import { encodedObject } from '../store/index.ts'
import { columns } from './columns.ts'
import type { Form } from './negotiate.ts'

/*
 * The forms of an answer: the object itself, its metadata alone, or rows of a table. The bytes of an object in plain form
 * are made once in its life and shared by every list and watch.
 */
export type View = {
  readonly definition: ResourceDefinition
  readonly form: Form
  /** What a table row carries beside its cells. */
  readonly includeObject: 'None' | 'Metadata' | 'Object'
  readonly now: Date
}

const presented = new WeakMap<AnyObject, AnyObject>()

/** The kept object in the definition's own form; the same result for the same object. */
function presentOnce(definition: ResourceDefinition, object: AnyObject): AnyObject {
  if (definition.apiVersion === object.apiVersion) return object
  const known = presented.get(object)
  if (known) return known
  const made = present(definition, object)
  presented.set(object, made)
  return made
}

function encodePlain(definition: ResourceDefinition, object: AnyObject): Buffer {
  return encodedObject(presentOnce(definition, object))
}

function metadataOnly(object: AnyObject, version: string): JsonObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata,
  }
}

function rowOf(view: View, object: AnyObject): JsonObject {
  const cells = columns[view.definition.resource].map(({ cell }) => cell(object, view.now))
  if (view.includeObject === 'None') return { cells }
  return {
    cells,
    object:
      view.includeObject === 'Object'
        ? presentOnce(view.definition, object)
        : metadataOnly(object, view.form.version),
  }
}

/** A table; `withColumns` is false for all but the first event of a watch. */
function tableOf(
  view: View,
  objects: readonly AnyObject[],
  metadata: JsonObject,
  withColumns: boolean,
): JsonObject {
  const columnDefinitions = columns[view.definition.resource].map(
    ({ name, type, format, description, priority }) => ({ name, type, format, description, priority }),
  )
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${view.form.version}`,
    metadata,
    columnDefinitions: withColumns ? columnDefinitions : null,
    rows: objects.map((object) => rowOf(view, object)),
  }
}

/** One object as the answer to a request. */
export function encodeOne(view: View, object: AnyObject, withColumns = true): Buffer {
  switch (view.form.as) {
    case '':
      return encodePlain(view.definition, object)
    case 'Table':
      return jsonBytes(
        tableOf(view, [object], { resourceVersion: object.metadata.resourceVersion }, withColumns),
      )
    default:
      return jsonBytes(metadataOnly(object, view.form.version))
  }
}

/** A list as the answer to a request, in pieces. */
export function* encodeList(
  view: View,
  objects: readonly AnyObject[],
  metadata: JsonObject,
): Generator<Buffer> {
  const { form, definition } = view
  if (form.as === 'Table') {
    yield jsonBytes(tableOf(view, objects, metadata, true))
    return
  }
  const plain = form.as === ''
  const kind = plain ? `${definition.kind}List` : 'PartialObjectMetadataList'
  const apiVersion = plain ? definition.apiVersion : `meta.k8s.io/${form.version}`
  yield Buffer.from(
    `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`,
  )
  for (const [index, object] of objects.entries()) {
    if (index > 0) yield COMMA
    yield plain ? encodePlain(definition, object) : jsonBytes(metadataOnly(object, form.version))
  }
  yield END
}

const COMMA = Buffer.from(',')
const END = Buffer.from(']}\n')

/** The object of a BOOKMARK event: nothing but a version. */
export function encodeBookmark(view: View, version: number, annotations: JsonObject | undefined): Buffer {
  const metadata = {
    resourceVersion: String(version),
    creationTimestamp: null,
    ...(annotations === undefined ? {} : { annotations }),
  }
  const { form, definition } = view
  if (form.as === 'Table')
    return jsonBytes({
      kind: 'Table',
      apiVersion: `meta.k8s.io/${form.version}`,
      metadata,
      columnDefinitions: null,
      rows: [],
    })
  return form.as === ''
    ? jsonBytes({ kind: definition.kind, apiVersion: definition.apiVersion, metadata })
    : jsonBytes({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.version}`, metadata })
}

export function jsonBytes(value: JsonObject): Buffer {
  return Buffer.from(JSON.stringify(value))
}
