import { isRecord } from '@slipway/kit'

import { statusErrors } from '../../errors.ts'
import type { JsonObject } from '../../schema/json.ts'
import { objectOf, textOf } from '../../schema/json.ts'
import { typeOf } from '../../schema/types.ts'
import { printPath } from './field-set.ts'
import type { Shape } from './shape.ts'
import { shapeAtStep, shapeBelow, stepOfItem } from './shape.ts'

const MESSAGES_MAX = 20

/**
 * Refuses an applied object that does not fit its schema: unknown fields, two list items with the same keys, an object where
 * a list is due. The words and the status 500 are those of a real server, which looks at this before decoding.
 */
export function checkApplied(shape: Shape, applied: JsonObject): void {
  const messages: string[] = []
  check(shape, applied, [], messages)
  if (messages.length === 0) return
  const { apiVersion, kind } = typeOf(applied)
  const metadata = objectOf(applied['metadata'])
  const name = `${textOf(metadata['namespace'])}/${textOf(metadata['name'])}; ${apiVersion}, Kind=${kind}`
  const [only = ''] = messages
  const text = messages.length === 1 ? only : ['errors:', ...messages.map((one) => `  ${one}`)].join('\n')
  throw statusErrors.internal(`failed to create typed patch object (${name}): ${text}`)
}

function check(shape: Shape, value: unknown, path: string[], messages: string[]): void {
  if (messages.length >= MESSAGES_MAX || value === null) return
  if (shape.kind === 'deduced') return
  if (shape.kind === 'items' || shape.kind === 'set' || (shape.kind === 'leaf' && shape.list)) {
    if (!Array.isArray(value)) messages.push(`${printPath(path)}: expected list, got ${printValue(value)}`)
    else if (shape.kind !== 'leaf') checkItems(shape, value, path, messages)
  } else if (shape.kind === 'fields' || shape.map) {
    if (!isRecord(value)) messages.push(`${printPath(path)}: expected map, got ${printValue(value)}`)
    else if (shape.kind === 'fields') checkFields(shape, value, path, messages)
  } else if (typeof value === 'object') {
    messages.push(`${printPath(path)}: expected a scalar, got ${printValue(value)}`)
  }
}

function checkFields(shape: Shape, value: JsonObject, path: string[], messages: string[]): void {
  for (const [name, child] of Object.entries(value)) {
    const childShape = shapeBelow(shape, name)
    path.push(`f:${name}`)
    if (childShape) check(childShape, child, path, messages)
    else messages.push(`${printPath(path)}: field not declared in schema`)
    path.pop()
  }
}

function checkItems(shape: Shape, items: readonly unknown[], path: string[], messages: string[]): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    if (shape.kind === 'items' && !isRecord(item)) {
      const text = 'associative list with keys may not have non-map elements'
      messages.push(`${printPath(path)}: element ${index}: ${text}`)
      return
    }
    const step = stepOfItem(shape, item)
    if (seen.has(step)) {
      messages.push(`${printPath(path)}: duplicate entries for key ${printPath([step])}`)
    }
    seen.add(step)
    path.push(step)
    check(shapeAtStep(shape, step), item, path, messages)
    path.pop()
  }
}

function printValue(value: unknown): string {
  return JSON.stringify(value).slice(0, 200)
}
