import { parseQuantity } from '@slipway/kit'

import type { Stored } from '../model.ts'

type Pod = Stored<'pods'>
type Container = NonNullable<Pod['spec']>['containers'][number]
/** Amounts by resource name: cores, bytes, pieces. */
export type Amounts = ReadonlyMap<string, number>

const cache = new WeakMap<object, Amounts>()

/**
 * What a pod asks of its node: the sum of its containers and sidecars, or what an init container needs beside the sidecars
 * started before it, whichever is more, and its overhead. Source: "Resource sharing within containers" in the documentation.
 */
export function podRequests(pod: Pod): Amounts {
  const spec = pod.spec
  if (!spec) return new Map()
  const known = cache.get(spec)
  if (known) return known
  const steady = new Map<string, number>()
  for (const container of spec.containers) addTo(steady, requestsOf(container))
  const sidecars = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of spec.initContainers ?? []) {
    const isSidecar = container.restartPolicy === 'Always'
    if (isSidecar) addTo(sidecars, requestsOf(container))
    const needed = new Map(sidecars)
    if (!isSidecar) addTo(needed, requestsOf(container))
    for (const [name, amount] of needed) peak.set(name, Math.max(peak.get(name) ?? 0, amount))
  }
  addTo(steady, sidecars)
  for (const [name, amount] of peak) steady.set(name, Math.max(steady.get(name) ?? 0, amount))
  addTo(steady, amountsOf(spec.overhead))
  cache.set(spec, steady)
  return steady
}

function requestsOf(container: Container): Amounts {
  return amountsOf(container.resources?.requests)
}

/** Quantities as numbers. */
export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  return new Map(Object.entries(quantities ?? {}).map(([name, text]) => [name, parseQuantity(text)]))
}

function addTo(sum: Map<string, number>, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0) + amount)
}
