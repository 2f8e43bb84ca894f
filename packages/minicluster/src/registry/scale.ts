import { statusErrors } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { objectOf, type JsonObject } from '../schema/json.ts'
import type { ResourceDefinition } from './resources.ts'

/** A Deployment or ReplicaSet as the Scale that its `/scale` shows. */
export function scaleOf(object: AnyObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const spec = objectOf(object['spec'])
  const status = objectOf(object['status'])
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec['replicas'] ?? 0 },
    status: { replicas: status['replicas'] ?? 0, selector: selectorText(objectOf(spec['selector'])) },
  }
}

/**
 * The object with the count that a Scale asks for.
 * @throws {StatusError} 400 for another kind, 422 for a count that is none
 */
export function withScale(definition: ResourceDefinition, object: AnyObject, scale: JsonObject): AnyObject {
  if (scale['kind'] !== undefined && scale['kind'] !== 'Scale')
    throw statusErrors.badRequest(
      `expected input object type to be Scale, but ${JSON.stringify(scale['kind'])}`,
    )
  const replicas = objectOf(scale['spec'])['replicas'] ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > 2 ** 31 - 1)
    throw statusErrors.invalid('Scale', 'autoscaling', object.metadata.name, [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
        field: 'spec.replicas',
      },
    ])
  return { ...object, spec: { ...objectOf(object['spec']), replicas } }
}

function selectorText(selector: JsonObject): string {
  const pairs = Object.entries(objectOf(selector['matchLabels'])).map(
    ([key, value]) => `${key}=${String(value)}`,
  )
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : []
  const terms = expressions.map((one: unknown) => {
    const { key, operator, values } = objectOf(one)
    const list = Array.isArray(values) ? `(${values.join(',')})` : ''
    if (operator === 'Exists') return String(key)
    if (operator === 'DoesNotExist') return `!${String(key)}`
    return `${String(key)} ${operator === 'In' ? 'in' : 'notin'} ${list}`
  })
  return [...pairs, ...terms].join(',')
}
