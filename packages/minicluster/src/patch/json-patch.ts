import { isRecord } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'
import { sameJson } from '../schema/json.ts'

const OPERATIONS_MAX = 10_000

type Operation = {
  readonly op: string
  readonly path: readonly string[]
  readonly from: readonly string[] | undefined
  readonly value: unknown
}

/**
 * Applies a JSON patch (RFC 6902) and returns the new object; `target` is left as it is. All operations apply or none does.
 * @throws {StatusError} 400 when `operations` is not a list of operations, 413 above 10,000 of them, 422 when one of them
 *   cannot be applied, a failed `test` included.
 */
export function jsonPatch(target: JsonObject, operations: unknown): JsonObject {
  if (!Array.isArray(operations)) throw statusErrors.badRequest('a JSON patch must be a list of operations')
  if (operations.length > OPERATIONS_MAX) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${operations.length}`,
    )
  }
  let result: unknown = target
  for (const operation of operations.map(operationOf)) result = applyOperation(result, operation)
  if (!isRecord(result)) throw unprocessable()
  return result
}

function applyOperation(root: unknown, operation: Operation): unknown {
  const { op, path, from, value } = operation
  switch (op) {
    case 'add':
      return editAt(root, path, (container, key) => insert(container, key, value), value)
    case 'replace':
      valueAt(root, path)
      return editAt(root, path, (container, key) => replace(container, key, value), value)
    case 'remove':
      return removeAt(root, path)
    case 'move': {
      if (from === undefined || isPrefix(from, path)) throw unprocessable()
      const moved = valueAt(root, from)
      return editAt(removeAt(root, from), path, (container, key) => insert(container, key, moved), moved)
    }
    case 'copy': {
      if (from === undefined) throw unprocessable()
      const copied = valueAt(root, from)
      return editAt(root, path, (container, key) => insert(container, key, copied), copied)
    }
    case 'test':
      if (!sameJson(findAt(root, path) ?? null, value ?? null)) throw unprocessable()
      return root
    default:
      throw unprocessable()
  }
}

function operationOf(operation: unknown): Operation {
  if (!isRecord(operation)) throw statusErrors.badRequest('an operation of a JSON patch must be an object')
  const { op, path, from } = operation
  if (typeof op !== 'string' || typeof path !== 'string') throw unprocessable()
  if ((op === 'add' || op === 'replace' || op === 'test') && !Object.hasOwn(operation, 'value')) {
    throw unprocessable()
  }
  return {
    op,
    path: pointerOf(path),
    from: typeof from === 'string' ? pointerOf(from) : undefined,
    value: operation['value'],
  }
}

/** The steps of a JSON pointer (RFC 6901). */
function pointerOf(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw unprocessable()
  const steps = pointer.split('/').slice(1)
  const decoded = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  // A path that reaches a prototype is no path of an API object.
  if (decoded.some((step) => step === '__proto__')) throw unprocessable()
  return decoded
}

/** Rebuilds the containers along `path` and lets `edit` change a copy of the last one. An empty path replaces everything. */
function editAt(
  root: unknown,
  path: readonly string[],
  edit: (container: unknown, key: string) => unknown,
  whole: unknown,
): unknown {
  const [key, ...rest] = path
  if (key === undefined) return whole
  if (rest.length === 0) return edit(root, key)
  const child = childOf(root, key)
  if (child === undefined) throw unprocessable()
  return replace(root, key, editAt(child, rest, edit, whole))
}

function insert(container: unknown, key: string, value: unknown): unknown {
  if (!Array.isArray(container)) return replace(container, key, value)
  const index = key === '-' ? container.length : indexOf(key)
  if (index > container.length) throw unprocessable()
  return container.toSpliced(index, 0, value)
}

function replace(container: unknown, key: string, value: unknown): unknown {
  if (Array.isArray(container)) {
    const index = indexOf(key)
    if (index >= container.length) throw unprocessable()
    return container.with(index, value)
  }
  if (!isRecord(container)) throw unprocessable()
  return { ...container, [key]: value }
}

function removeAt(root: unknown, path: readonly string[]): unknown {
  valueAt(root, path)
  return editAt(
    root,
    path,
    (container, key) => {
      if (Array.isArray(container)) return container.toSpliced(indexOf(key), 1)
      if (!isRecord(container)) throw unprocessable()
      const { [key]: _removed, ...kept } = container
      return kept
    },
    null,
  )
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  const value = findAt(root, path)
  if (value === undefined) throw unprocessable()
  return value
}

function findAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const key of path) {
    if (value === undefined) return undefined
    value = childOf(value, key)
  }
  return value
}

function childOf(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return container[indexOf(key)]
  return isRecord(container) && Object.hasOwn(container, key) ? container[key] : undefined
}

function indexOf(key: string): number {
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(key)) throw unprocessable()
  return Number(key)
}

/** A value cannot be moved into itself. */
function isPrefix(from: readonly string[], path: readonly string[]): boolean {
  return from.length < path.length && from.every((step, index) => path[index] === step)
}

function unprocessable(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request')
}
