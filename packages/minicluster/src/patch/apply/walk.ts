/* The walks over one or two objects that apply is made of: which fields are there, what differs, merge, remove. */
import { isRecord } from '@slipway/kit'

import type { JsonObject } from '../../schema/json.ts'
import { sameJson } from '../../schema/json.ts'
import type { FieldCollector, FieldSet } from './field-set.ts'
import { collectFields, isEmpty, NO_FIELDS } from './field-set.ts'
import type { Shape } from './shape.ts'
import { DEDUCED, isDivided, isNamed, shapeAtStep, shapeBelow, stepOfItem } from './shape.ts'

/** Every leaf and every list item that the object mentions. */
export function fieldsIn(shape: Shape, object: unknown): FieldSet {
  const found = collectFields()
  findFields(shape, object, [], found)
  return found.fields
}

function findFields(shape: Shape, value: unknown, path: string[], found: FieldCollector): void {
  if (!isDivided(shape, value)) found.add(path)
  else if (Array.isArray(value)) findInItems(shape, value, path, found)
  else if (isRecord(value)) {
    for (const [name, child] of Object.entries(value)) {
      path.push(`f:${name}`)
      findFields(shapeBelow(shape, name) ?? DEDUCED, child, path, found)
      if (child === null || isEmptyRecord(child) || !isNamed(shape, name)) found.add(path)
      path.pop()
    }
  }
}

function findInItems(shape: Shape, items: readonly unknown[], path: string[], found: FieldCollector): void {
  const groups = groupItems(shape, items)
  for (const [step, group] of groups) {
    path.push(step)
    // Items with the same keys cannot be told apart: the owner has them all or none.
    if (group.length === 1) findFields(shapeAtStep(shape, step), group[0], path, found)
    found.add(path)
    path.pop()
  }
}

function groupItems(shape: Shape, items: readonly unknown[]): Map<string, readonly unknown[]> {
  return Map.groupBy(items, (item) => stepOfItem(shape, item))
}

export type Comparison = {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}
type Comparing = {
  readonly added: FieldCollector
  readonly modified: FieldCollector
  readonly removed: FieldCollector
}

/** What differs between two objects of the same shape. */
export function compareObjects(shape: Shape, before: unknown, after: unknown): Comparison {
  const out: Comparing = { added: collectFields(), modified: collectFields(), removed: collectFields() }
  compare(shape, [before, after], [], out)
  return { added: out.added.fields, modified: out.modified.fields, removed: out.removed.fields }
}

type Pair = readonly [before: unknown, after: unknown]

function compare(shape: Shape, pair: Pair, path: string[], out: Comparing): void {
  const [before, after] = pair
  if (before === after) return
  const divided = isDivided(shape, before ?? after) && isDivided(shape, after ?? before)
  if (!divided || (isBlank(before) && isBlank(after))) return compareLeaf(pair, path, out)
  if (Array.isArray(before) || Array.isArray(after)) compareItems(shape, pair, path, out)
  else compareFields(shape, pair, path, out)
  if (before === undefined) out.added.add(path)
  else if (after === undefined) out.removed.add(path)
}

function compareLeaf([before, after]: Pair, path: string[], out: Comparing): void {
  if (before === undefined) out.added.add(path)
  else if (after === undefined) out.removed.add(path)
  else if (!sameJson(before, after)) out.modified.add(path)
}

function compareFields(shape: Shape, [before, after]: Pair, path: string[], out: Comparing): void {
  const old: JsonObject = isRecord(before) ? before : {}
  const young: JsonObject = isRecord(after) ? after : {}
  for (const name of new Set([...Object.keys(old), ...Object.keys(young)])) {
    path.push(`f:${name}`)
    compare(shapeBelow(shape, name) ?? DEDUCED, [old[name], young[name]], path, out)
    path.pop()
  }
}

function compareItems(shape: Shape, [before, after]: Pair, path: string[], out: Comparing): void {
  const old = groupItems(shape, Array.isArray(before) ? before : [])
  const young = groupItems(shape, Array.isArray(after) ? after : [])
  for (const step of new Set([...old.keys(), ...young.keys()])) {
    path.push(step)
    compareGroups(shapeAtStep(shape, step), [old.get(step) ?? [], young.get(step) ?? []], path, out)
    path.pop()
  }
}

/** Items with the same keys on both sides; more than one on a side are compared as one piece. */
function compareGroups(
  shape: Shape,
  [old, young]: readonly [readonly unknown[], readonly unknown[]],
  path: string[],
  out: Comparing,
): void {
  if (old.length <= 1 && young.length <= 1) return compare(shape, [old[0], young[0]], path, out)
  if (old.length >= 2 && young.length >= 2) {
    if (!sameJson(old, young)) out.modified.add(path)
  } else if (old.length >= 2) {
    if (young.length > 0) compare(shape, [undefined, young[0]], path, out)
    out.removed.add(path)
  } else {
    if (old.length > 0) compare(shape, [old[0], undefined], path, out)
    out.added.add(path)
  }
}

/** The live object with everything the applied one says; nothing is removed. */
export function mergeObjects(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live
  if (live === undefined || live === null || !isDivided(shape, applied) || !isDivided(shape, live))
    return applied
  if (Array.isArray(applied) && Array.isArray(live)) return mergeItems(shape, live, applied)
  if (!isRecord(applied) || !isRecord(live)) return applied
  const merged: Record<string, unknown> = { ...live }
  for (const [name, value] of Object.entries(applied)) {
    merged[name] = mergeObjects(shapeBelow(shape, name) ?? DEDUCED, live[name], value)
  }
  return merged
}

/**
 * Live items that are not applied keep their place; applied ones stand in the order in which they are applied, a new one
 * before the next that both lists have. This is the order a real server gives.
 */
function mergeItems(shape: Shape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const liveGroups = groupItems(shape, live)
  const steps = applied.map((item) => stepOfItem(shape, item))
  const isApplied = new Set(steps)
  const shared = steps.flatMap((step, index) => (liveGroups.has(step) ? [index] : []))
  const mergeRange = (from: number, to: number): readonly unknown[] =>
    steps.slice(from, to).map((step, offset) => {
      const group = liveGroups.get(step) ?? []
      const old = group.length === 1 ? group[0] : undefined
      return mergeObjects(shapeAtStep(shape, step), old, applied[from + offset])
    })
  const merged: unknown[] = []
  let taken = 0
  let round = 0
  for (const item of live) {
    const step = stepOfItem(shape, item)
    const index = shared[round]
    if (!isApplied.has(step)) merged.push(item)
    else if (index !== undefined && steps[index] === step) {
      merged.push(...mergeRange(taken, index + 1))
      taken = index + 1
      round += 1
    }
  }
  return [...merged, ...mergeRange(taken, steps.length)]
}

/** The object without the members of `fields`. A container that loses its last part becomes null. */
export function removeFields(shape: Shape, value: unknown, fields: FieldSet): unknown {
  if (isEmpty(fields)) return value
  if (Array.isArray(value)) return isDivided(shape, value) ? removeItems(shape, value, fields) : null
  if (!isRecord(value) || isEmptyRecord(value)) return value
  if (!isDivided(shape, value)) return null
  const kept = Object.entries(value).flatMap(([name, child]) => {
    const step = `f:${name}`
    if (fields.members.has(step)) return []
    return [[name, removeFields(shapeAtStep(shape, step), child, fields.children.get(step) ?? NO_FIELDS)]]
  })
  return kept.length === 0 ? null : Object.fromEntries(kept)
}

function removeItems(shape: Shape, items: readonly unknown[], fields: FieldSet): unknown {
  const kept = items.flatMap((item) => {
    const step = stepOfItem(shape, item)
    if (fields.members.has(step)) return []
    return [removeFields(shapeAtStep(shape, step), item, fields.children.get(step) ?? NO_FIELDS)]
  })
  return kept.length === 0 ? null : kept
}

/** The set with every field of a structure that has members below it as a member too. */
export function withNamedParents(shape: Shape, fields: FieldSet): FieldSet {
  const named = [...fields.children.keys()].filter(
    (step) => step.startsWith('f:') && isNamed(shape, step.slice(2)),
  )
  return {
    members: new Set([...fields.members, ...named]),
    children: new Map(
      [...fields.children].map(([step, below]) => [step, withNamedParents(shapeAtStep(shape, step), below)]),
    ),
  }
}

function isEmptyRecord(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

function isBlank(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    isEmptyRecord(value) ||
    (Array.isArray(value) && value.length === 0)
  )
}
