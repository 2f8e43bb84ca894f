import type { AnyObject } from '../model.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { ResourceDefinition } from './resources.ts'

/*
 * Events of both API groups are the same objects, kept in the form of core v1. Source: the conversion functions between
 * core/v1 and events.k8s.io/v1 in the Kubernetes API.
 */
const RENAMED: readonly (readonly [core: string, modern: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

/** A kept object as the definition shows it. */
export function present(definition: ResourceDefinition, object: AnyObject): AnyObject {
  if (definition.apiVersion === object.apiVersion) return object
  return { ...rename(object, 0, 1), apiVersion: definition.apiVersion } as AnyObject
}

/** An object in the definition's form as it is kept. */
export function accept(definition: ResourceDefinition, object: JsonObject): JsonObject {
  if (definition.group !== 'events.k8s.io') return object
  const core = { ...rename(object, 1, 0), apiVersion: 'v1' }
  const regarding = objectOf(object['regarding'])
  return textOf(regarding['kind']) === '' ? { ...core, involvedObject: { ...regarding } } : core
}

function rename(object: JsonObject, from: 0 | 1, to: 0 | 1): JsonObject {
  const names = new Map(RENAMED.map((pair) => [pair[from], pair[to]]))
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]))
}
