/*
 * Sets of fields, as server-side apply keeps them in `managedFields` (format FieldsV1): a tree whose steps are `f:<field>`,
 * `k:<keys of a list item>` and `v:<value in a set>`. A step can be a member itself, have members below it, or both.
 * Source: the serialization of fieldpath.Set in sigs.k8s.io/structured-merge-diff.
 */
import { isRecord } from '@slipway/kit'

import type { JsonObject } from '../../schema/json.ts'

export type FieldSet = {
  readonly members: ReadonlySet<string>
  readonly children: ReadonlyMap<string, FieldSet>
}
export type Path = readonly string[]
type Building = { readonly members: Set<string>; readonly children: Map<string, Building> }

export const NO_FIELDS: FieldSet = { members: new Set(), children: new Map() }

/** Collects paths into a set. */
export type FieldCollector = { readonly add: (path: Path) => void; readonly fields: FieldSet }

export function collectFields(): FieldCollector {
  const fields: Building = { members: new Set(), children: new Map() }
  return { fields, add: (path) => insert(fields, path) }
}

/** The set of exactly these paths. */
export function fieldsOf(...paths: readonly Path[]): FieldSet {
  const { add, fields } = collectFields()
  for (const path of paths) add(path)
  return fields
}

function insert(set: Building, path: Path): void {
  const last = path.at(-1)
  if (last === undefined) return
  let at = set
  for (const step of path.slice(0, -1)) {
    let next = at.children.get(step)
    if (!next) at.children.set(step, (next = { members: new Set(), children: new Map() }))
    at = next
  }
  at.members.add(last)
}

export function isEmpty(set: FieldSet): boolean {
  return set.members.size === 0 && set.children.size === 0
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b
  if (isEmpty(b)) return a
  const children = new Map(a.children)
  for (const [step, below] of b.children) {
    const mine = children.get(step)
    children.set(step, mine ? union(mine, below) : below)
  }
  return { members: new Set([...a.members, ...b.members]), children }
}

/** The members of `a` that are no members of `b`. Below a member of `b` nothing is taken away. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  return pruned(
    membersOf(a, (step) => !b.members.has(step)),
    [...a.children].map(([step, below]) => [step, difference(below, b.children.get(step) ?? NO_FIELDS)]),
  )
}

/** Like `difference`, and everything below a member of `b` goes too. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  const kept = [...a.children].filter(([step]) => !b.members.has(step))
  return pruned(
    membersOf(a, (step) => !b.members.has(step)),
    kept.map(([step, below]) => [step, differenceBelow(below, b.children.get(step) ?? NO_FIELDS)]),
  )
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return pruned(
    membersOf(a, (step) => b.members.has(step)),
    [...a.children].map(([step, below]) => [step, intersection(below, b.children.get(step) ?? NO_FIELDS)]),
  )
}

function membersOf(set: FieldSet, isKept: (step: string) => boolean): ReadonlySet<string> {
  return new Set([...set.members].filter(isKept))
}

function pruned(members: ReadonlySet<string>, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  return { members, children: new Map(children.filter(([, below]) => !isEmpty(below))) }
}

/** Every path of the set, the members of a level before what is below it. */
export function pathsOf(set: FieldSet, above: Path = []): readonly Path[] {
  const here = [...set.members].sort(compareSteps).map((step) => [...above, step])
  const below = [...set.children]
    .sort(([a], [b]) => compareSteps(a, b))
    .flatMap(([step, child]) => pathsOf(child, [...above, step]))
  return [...here, ...below]
}

/** The FieldsV1 form. */
export function encodeFields(set: FieldSet): JsonObject {
  const steps = [...new Set([...set.members, ...set.children.keys()])].sort(compareSteps)
  return Object.fromEntries(
    steps.map((step) => {
      const below = set.children.get(step)
      const encoded = below === undefined ? {} : encodeFields(below)
      return [step, below !== undefined && set.members.has(step) ? { '.': {}, ...encoded } : encoded]
    }),
  )
}

/** Reads the FieldsV1 form; undefined when it is not one. */
export function decodeFields(encoded: unknown): FieldSet | undefined {
  if (!isRecord(encoded)) return undefined
  const members = new Set<string>()
  const children = new Map<string, FieldSet>()
  for (const [step, value] of Object.entries(encoded)) {
    if (step === '.') continue
    if (!/^[fkvi]:/.test(step) || !isRecord(value)) return undefined
    const below = decodeFields(value)
    if (below === undefined) return undefined
    if (isEmpty(below) || Object.hasOwn(value, '.')) members.add(step)
    if (!isEmpty(below)) children.set(step, below)
  }
  return { members, children }
}

/** A path in the words of an error: `.spec.template.spec.containers[name="c"].image`. */
export function printPath(path: Path): string {
  return path.map(printStep).join('')
}

function printStep(step: string): string {
  const text = step.slice(2)
  if (step.startsWith('f:')) return `.${text}`
  if (step.startsWith('v:')) return `[=${text}]`
  if (step.startsWith('i:')) return `[${text}]`
  const key: unknown = JSON.parse(text)
  const pairs = isRecord(key) ? Object.entries(key) : []
  return `[${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`
}

/** Fields first, then list items, then values. */
function compareSteps(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
