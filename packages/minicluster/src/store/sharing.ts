import type { AnyObject } from '../model.ts'
import { deepFreeze } from './json.ts'

/*
 * Thousands of pods differ in little more than their names: what their Deployment gave them and who manages which field is the
 * same in all of them, and is most of their size. Such parts are kept once and shared, which frozen objects allow.
 *
 * What was seen lately is known by its JSON, in two generations: a part that is met again moves into the young one, and when
 * that is full the old one is forgotten. Forgetting costs only memory.
 */
const PART_MAX_CHARS = 4_096
const GENERATION_MAX = 512
const METADATA_PARTS = ['labels', 'annotations', 'ownerReferences'] as const

/** The object with its larger parts replaced by equal ones that other objects have. */
export type Share = (object: AnyObject) => AnyObject

export function newShare(): Share {
  let young = new Map<string, unknown>()
  let old = new Map<string, unknown>()

  function sharePart<Part>(part: Part): Part {
    if (typeof part !== 'object' || part === null) return part
    const key = JSON.stringify(part)
    if (key.length > PART_MAX_CHARS) return part
    // What is found has the same JSON, so it is of the same type.
    const known = (young.get(key) ?? old.get(key)) as Part | undefined
    const kept = known ?? deepFreeze(part)
    if (young.size >= GENERATION_MAX) {
      old = young
      young = new Map()
    }
    young.set(key, kept)
    return kept
  }

  function shareMetadata(metadata: AnyObject['metadata']): AnyObject['metadata'] {
    const shared: Record<string, unknown> = { ...metadata }
    for (const name of METADATA_PARTS) if (name in shared) shared[name] = sharePart(shared[name])
    if (metadata.managedFields)
      shared['managedFields'] = metadata.managedFields.map((entry) => ({
        ...entry,
        ...(entry.fieldsV1 === undefined ? {} : { fieldsV1: sharePart(entry.fieldsV1) }),
      }))
    // The same fields with equal values.
    return shared as AnyObject['metadata']
  }

  return (object) => {
    const { spec } = object
    const metadata = shareMetadata(object.metadata)
    if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return { ...object, metadata }
    const parts = Object.entries(spec).map(([name, part]): [string, unknown] => [name, sharePart(part)])
    return { ...object, metadata, spec: Object.fromEntries(parts) }
  }
}
