/*
 * How server-side apply sees a value: as one piece (`leaf`), as fields with owners of their own (`fields`), as a list whose
 * items are told apart by keys, or as a set of scalars. Source: the list and map types of the Kubernetes API conventions
 * (`x-kubernetes-list-type`, `x-kubernetes-map-type`), carried by the generated schema.
 */
import { isRecord } from '@slipway/kit'

import type { JsonObject } from '../../schema/json.ts'
import type { Field, Structure } from '../../schema/types.ts'
import { structureNamed } from '../../schema/types.ts'

export type Shape =
  | { readonly kind: 'leaf'; readonly list: boolean; readonly map: boolean }
  /** A structure, or a free map when `structure` is undefined; `element` is then the shape of its values. */
  | {
      readonly kind: 'fields'
      readonly structure: Structure | undefined
      readonly element: Shape | undefined
    }
  | { readonly kind: 'items'; readonly field: Field; readonly element: Shape }
  | { readonly kind: 'set' }
  /** Not described: objects are fields, all else is one piece. */
  | { readonly kind: 'deduced' }

const SCALAR: Shape = { kind: 'leaf', list: false, map: false }
const ATOMIC_LIST: Shape = { kind: 'leaf', list: true, map: false }
const ATOMIC_MAP: Shape = { kind: 'leaf', list: false, map: true }
const SET: Shape = { kind: 'set' }
export const DEDUCED: Shape = { kind: 'deduced' }

const known = new WeakMap<Field, Shape>()

export function shapeOfStructure(structure: Structure): Shape {
  return structure.atomic ? ATOMIC_MAP : { kind: 'fields', structure, element: undefined }
}

function shapeOfField(field: Field): Shape {
  let shape = known.get(field)
  if (!shape) known.set(field, (shape = readShape(field)))
  return shape
}

function readShape(field: Field): Shape {
  if (field.shape === 'list') {
    if (field.keys) return { kind: 'items', field, element: elementShape(field) }
    return field.set ? SET : ATOMIC_LIST
  }
  if (field.shape === 'map') {
    if (field.atomic) return ATOMIC_MAP
    return { kind: 'fields', structure: undefined, element: elementShape(field) }
  }
  return field.atomic ? ATOMIC_MAP : elementShape(field)
}

function elementShape(field: Field): Shape {
  const structure = structureNamed(field.type)
  if (structure) return shapeOfStructure(structure)
  if (field.type === 'stringList') return ATOMIC_LIST
  return field.type === 'raw' || field.type === 'fieldsV1' ? DEDUCED : SCALAR
}

/** The shape of the field `name`; undefined when the structure has no such field. */
export function shapeBelow(shape: Shape, name: string): Shape | undefined {
  if (shape.kind !== 'fields') return DEDUCED
  if (!shape.structure) return shape.element
  const field = shape.structure.fields.get(name)
  return field && shapeOfField(field)
}

/** True for fields that the schema names, as opposed to the keys of a free map. */
export function isNamed(shape: Shape, name: string): boolean {
  return shape.kind === 'fields' && shape.structure !== undefined && shape.structure.fields.has(name)
}

/** The step of a path that leads to a list item. Absent keys count with their default; without one they are left out. */
export function stepOfItem(shape: Shape, item: unknown): string {
  if (shape.kind !== 'items') return `v:${JSON.stringify(item)}`
  const record: JsonObject = isRecord(item) ? item : {}
  const keys = [...(shape.field.keys ?? [])].sort()
  const pairs = keys.map((key) => [key, record[key] ?? shape.field.defaults?.[key]] as const)
  // Undefined values do not appear in the text.
  return `k:${JSON.stringify(Object.fromEntries(pairs))}`
}

/** The shape that `step` leads to from `shape`. */
export function shapeAtStep(shape: Shape, step: string): Shape {
  if (step.startsWith('f:')) return shapeBelow(shape, step.slice(2)) ?? DEDUCED
  return shape.kind === 'items' ? shape.element : SCALAR
}

/** True when apply sees the parts of this value one by one. */
export function isDivided(shape: Shape, value: unknown): boolean {
  return shape.kind === 'deduced' ? isRecord(value) : shape.kind !== 'leaf'
}
