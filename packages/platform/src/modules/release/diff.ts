import type { ReleaseDiff, WorkloadTemplate } from '@slipway/contract'
import { isRecord } from '@slipway/kit'

import type { Variable } from '../app/index.ts'

/** Differences of two sets of variables; a secret one only ever shows that it changed. */
export function diffVariables(
  before: readonly Variable[],
  after: readonly Variable[],
): ReleaseDiff['variables'] {
  const old = new Map(before.map((variable) => [variable.name, variable]))
  const now = new Map(after.map((variable) => [variable.name, variable]))
  const names = [...new Set([...old.keys(), ...now.keys()])].sort()
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)]
    if (was?.value === is?.value && was?.secret === is?.secret) return []
    const change =
      was === undefined ? ('added' as const) : is === undefined ? ('removed' as const) : ('changed' as const)
    const shown = (variable: Variable | undefined): string | null =>
      variable === undefined || variable.secret ? null : variable.value
    return [{ name, change, before: shown(was), after: shown(is) }]
  })
}

/** Differences of two templates, leaf by leaf, as `processes.web.port`. */
export function diffTemplates(
  before: WorkloadTemplate | undefined,
  after: WorkloadTemplate,
): ReleaseDiff['template'] {
  const old = leavesOf(before ?? {})
  const now = leavesOf(after)
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort()
  return paths
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }))
}

function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (!isRecord(value)) return new Map([[path, typeof value === 'string' ? value : JSON.stringify(value)]])
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [
      ...leavesOf(child, path === '' ? key : `${path}.${key}`),
    ]),
  )
}

/**
 * True when everything that `wanted` says stands in `live` too. What the cluster adds (defaults, sidecars) does not count.
 * Lists of named things are compared by name, other lists item by item; quantities as text, since we write what we read.
 */
export function isWithin(wanted: unknown, live: unknown): boolean {
  if (isEmpty(wanted) && live === undefined) return true
  if (Array.isArray(wanted)) return Array.isArray(live) && isListWithin(wanted, live)
  if (isRecord(wanted))
    return isRecord(live) && Object.entries(wanted).every(([key, value]) => isWithin(value, live[key]))
  return wanted === live
}

/** An API server leaves empty lists and maps out. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

function isListWithin(wanted: readonly unknown[], live: readonly unknown[]): boolean {
  const named = wanted.every((item) => isRecord(item) && typeof item['name'] === 'string')
  if (!named)
    return wanted.length === live.length && wanted.every((item, index) => isWithin(item, live[index]))
  return wanted.every((item) =>
    live.some(
      (other) => isRecord(other) && isRecord(item) && other['name'] === item['name'] && isWithin(item, other),
    ),
  )
}
