import type { Random } from '@slipway/kit'

import { statusErrors, StatusError, type StatusCause } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { View } from '../store/index.ts'
import { timeText } from './deletion.ts'
import { qualified } from './incoming.ts'
import type { ResourceDefinition } from './resources.ts'

const NAME_TRIES = 8
/** Without vowels and look-alikes, so that no words come out. */
const NAME_SYMBOLS = 'bcdfghjklmnpqrstvwxz2456789'
const NAME_STEM_MAX = 58

type Making = {
  readonly head: View
  readonly newUid: () => string
  readonly random: Random
  readonly now: Date
}

/**
 * A body with the identity of a new object.
 * @throws {StatusError} 400 for a body with a version, 409 when no free name was found, 422 without a name
 */
export function withNewMetadata(making: Making, definition: ResourceDefinition, body: JsonObject): AnyObject {
  const metadata = objectOf(body['metadata'])
  if (textOf(metadata['resourceVersion']) !== '')
    throw statusErrors.badRequest('resourceVersion should not be set on objects to be created')
  const name = textOf(metadata['name']) || generatedName(making, definition, metadata)
  const { namespace: _, ...clusterWide } = metadata
  return {
    ...body,
    metadata: withoutUndefined({
      ...(definition.namespaced ? metadata : clusterWide),
      name,
      uid: making.newUid(),
      resourceVersion: undefined,
      selfLink: undefined,
      managedFields: undefined,
      generation: definition.counted ? 1 : undefined,
      creationTimestamp: timeText(making.now),
      deletionTimestamp: undefined,
      deletionGracePeriodSeconds: undefined,
    }),
  } as AnyObject // the version is set when it is stored
}

function generatedName(making: Making, definition: ResourceDefinition, metadata: JsonObject): string {
  const stem = textOf(metadata['generateName'])
  if (stem === '') {
    const cause: StatusCause = {
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
      field: 'metadata.name',
    }
    throw statusErrors.invalid(definition.kind, definition.group, '', [cause])
  }
  const namespace = textOf(metadata['namespace'])
  for (let tries = 0; ; tries += 1) {
    const tail = Array.from({ length: 5 }, () =>
      NAME_SYMBOLS.charAt(Math.floor(making.random() * NAME_SYMBOLS.length)),
    )
    const name = `${stem.slice(0, NAME_STEM_MAX)}${tail.join('')}`
    if (!making.head.get(definition.resource, namespace, name)) return name
    if (tries === NAME_TRIES)
      throw new StatusError(
        409,
        'AlreadyExists',
        `${qualified(definition)} "${name}" already exists, the server was not able to generate a unique name for the object`,
        { name, group: definition.group, kind: definition.plural, retryAfterSeconds: 1 },
      )
  }
}

/** Drops fields that are undefined, which JSON does not have. */
export function withoutUndefined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
