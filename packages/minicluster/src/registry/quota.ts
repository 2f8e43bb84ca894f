import { parseQuantity } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { View } from '../store/index.ts'
import { definitions, type ResourceDefinition } from './resources.ts'

/** Amounts by quota resource name: cores, bytes, pieces. */
export type Amounts = Readonly<Record<string, number>>

const COUNTED: Readonly<Record<string, string>> = {
  configmaps: 'configmaps',
  secrets: 'secrets',
  services: 'services',
  resourcequotas: 'resourcequotas',
}
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']

/** What an object counts for, under every name a quota may use; undefined when it counts for nothing (finished pods). */
function chargeOf(definition: ResourceDefinition, object: AnyObject): Amounts | undefined {
  const charge: Record<string, number> = { [countName(definition)]: 1 }
  const short = COUNTED[definition.resource]
  if (short !== undefined) charge[short] = 1
  if (definition.resource === 'services') Object.assign(charge, chargeOfService(object))
  if (definition.resource !== 'pods') return charge
  const phase = objectOf(object['status'])['phase']
  if (phase === 'Succeeded' || phase === 'Failed') return undefined
  return { ...charge, pods: 1, ...chargeOfPod(object) }
}

function countName(definition: ResourceDefinition): string {
  return `count/${definition.plural}${definition.group === '' ? '' : `.${definition.group}`}`
}

function chargeOfService(service: AnyObject): Amounts {
  const spec = objectOf(service['spec'])
  const outside = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer'
  return {
    ...(outside ? { 'services.nodeports': listOf(spec['ports']).length } : {}),
    ...(spec['type'] === 'LoadBalancer' ? { 'services.loadbalancers': 1 } : {}),
  }
}

/** A pod's requests and limits: the larger of all containers with the sidecars, and the largest init container. */
function chargeOfPod(pod: AnyObject): Amounts {
  const charge: Record<string, number> = {}
  for (const side of ['requests', 'limits']) {
    for (const name of COMPUTE) {
      const amount = podAmount(objectOf(pod['spec']), side, name)
      if (amount === undefined) continue
      charge[`${side}.${name}`] = amount
      if (side === 'requests') charge[name] = amount
    }
  }
  return charge
}

function podAmount(spec: JsonObject, side: string, name: string): number | undefined {
  const amountOf = (container: JsonObject): number | undefined => {
    const text = objectOf(objectOf(container['resources'])[side])[name]
    return typeof text === 'string' || typeof text === 'number' ? parseQuantity(String(text)) : undefined
  }
  const sum = (amounts: readonly (number | undefined)[]): number | undefined =>
    amounts.reduce(
      (a, b) => (a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)),
      undefined,
    )
  const steady = sum(listOf(spec['containers']).map((one) => amountOf(objectOf(one))))
  let sidecars: number | undefined
  let start: number | undefined
  for (const one of listOf(spec['initContainers']).map(objectOf)) {
    const amount = amountOf(one)
    if (one['restartPolicy'] === 'Always') sidecars = sum([sidecars, amount])
    const needed = one['restartPolicy'] === 'Always' ? sidecars : sum([sidecars, amount])
    if (needed !== undefined) start = Math.max(start ?? 0, needed)
  }
  const run = sum([steady, sidecars])
  const peak = run === undefined || start === undefined ? (run ?? start) : Math.max(run, start)
  const overhead = objectOf(spec['overhead'])[name]
  return typeof overhead === 'string' ? (peak ?? 0) + parseQuantity(overhead) : peak
}

/** Cached by object, since kept objects never change. */
const charges = new WeakMap<AnyObject, Amounts>()
const NOTHING: Amounts = {}

function cachedCharge(definition: ResourceDefinition, object: AnyObject): Amounts {
  const known = charges.get(object)
  if (known) return known
  const charge = chargeOf(definition, object) ?? NOTHING
  charges.set(object, charge)
  return charge
}

/** What the quota's namespace uses now of each resource that the quota limits, as amounts. */
export function usageOfQuota(quota: AnyObject, view: View): Amounts {
  const names = Object.keys(objectOf(objectOf(quota['spec'])['hard']))
  const used: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]))
  for (const definition of definitions) {
    if (!definition.namespaced || definition.group === 'events.k8s.io') continue
    if (!names.some((name) => concerns(definition, name))) continue
    for (const object of view.list(definition.resource, quota.metadata.namespace)) {
      if (!inScope(quota, definition, object)) continue
      const charge = cachedCharge(definition, object)
      for (const name of names) used[name] = (used[name] ?? 0) + (charge[name] ?? 0)
    }
  }
  return used
}

function concerns(definition: ResourceDefinition, name: string): boolean {
  if (name === countName(definition) || name === COUNTED[definition.resource]) return true
  if (definition.resource === 'services') return name.startsWith('services.')
  const compute = /^(?:requests\.|limits\.)?(?:cpu|memory|ephemeral-storage)$/
  return definition.resource === 'pods' && (name === 'pods' || compute.test(name))
}

function inScope(quota: AnyObject, definition: ResourceDefinition, object: AnyObject): boolean {
  const scopes = listOf(objectOf(quota['spec'])['scopes'])
  if (scopes.length === 0) return true
  if (definition.resource !== 'pods') return false
  const bestEffort = objectOf(object['status'])['qosClass'] === 'BestEffort'
  const ending = objectOf(object['spec'])['activeDeadlineSeconds'] !== undefined
  return scopes.every((scope) => {
    if (scope === 'BestEffort') return bestEffort
    if (scope === 'NotBestEffort') return !bestEffort
    if (scope === 'Terminating') return ending
    return scope === 'NotTerminating' ? !ending : false
  })
}

/**
 * Refuses an object that would exceed a quota of its namespace.
 * @param old - the object before, when this is an update; only what grows is asked for
 * @throws {StatusError} 403
 */
export function admitQuota(
  definition: ResourceDefinition,
  object: AnyObject,
  old: AnyObject | undefined,
  view: View,
): void {
  for (const quota of view.list('resourcequotas', object.metadata.namespace ?? '')) {
    if (inScope(quota, definition, object)) admit(quota, { definition, object, old, view })
  }
}

type Candidate = {
  readonly definition: ResourceDefinition
  readonly object: AnyObject
  readonly old: AnyObject | undefined
  readonly view: View
}

function admit(quota: AnyObject, { definition, object, old, view }: Candidate): void {
  const hard = objectOf(objectOf(quota['spec'])['hard'])
  const charge = chargeOf(definition, object) ?? NOTHING
  const before = old ? cachedCharge(definition, old) : NOTHING
  const limited = Object.keys(hard)
    .filter((name) => concerns(definition, name))
    .sort()
  if (limited.length === 0) return
  const missing = old
    ? []
    : limited.filter((name) => charge[name] === undefined && definition.resource === 'pods')
  if (missing.length > 0)
    throw refuse(
      definition,
      object,
      `failed quota: ${quota.metadata.name}: must specify ${missingText(object, missing)}`,
    )
  const grown = limited.filter((name) => (charge[name] ?? 0) > (before[name] ?? 0))
  if (grown.length === 0) return
  const used = usageOfQuota(quota, view)
  const asked = (name: string): number => (charge[name] ?? 0) - (before[name] ?? 0)
  const limitOf = (name: string): number => parseQuantity(String(hard[name]))
  // A sum of decimal fractions such as 0.1 is off by less than this.
  const over = grown.filter((name) => (used[name] ?? 0) + asked(name) > limitOf(name) + 1e-9)
  if (over.length === 0) return
  const list = (amount: (name: string) => string): string =>
    over.map((name) => `${name}=${amount(name)}`).join(',')
  throw refuse(
    definition,
    object,
    `exceeded quota: ${quota.metadata.name}, requested: ${list((name) => formatAmount(name, asked(name)))}, used: ${list((name) => formatAmount(name, used[name] ?? 0))}, limited: ${list((name) => String(hard[name]))}`,
  )
}

function missingText(pod: AnyObject, missing: readonly string[]): string {
  const containers = listOf(objectOf(pod['spec'])['containers']).map(objectOf)
  return missing
    .map((name) => {
      const [side, resource] = name.includes('.') ? name.split(/\.(.*)/) : ['requests', name]
      const without = containers.filter(
        (one) => objectOf(objectOf(one['resources'])[side ?? ''])[resource ?? ''] === undefined,
      )
      return `${name} for: ${without.map((one) => textOf(one['name'])).join(',')}`
    })
    .join('; ')
}

function refuse(definition: ResourceDefinition, object: AnyObject, why: string): Error {
  const { name } = object.metadata
  const resource = definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`
  return statusErrors.forbidden(`${resource} "${name}" is forbidden: ${why}`, {
    name,
    group: definition.group,
    kind: definition.plural,
  })
}

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** An amount as a quantity: `500m` cores, `128Mi` bytes, `3` pieces. */
export function formatAmount(name: string, amount: number): string {
  if (name.endsWith('cpu')) {
    const milli = Math.round(amount * 1000)
    return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
  }
  let rest = amount
  let suffix = ''
  if (!/memory|storage/.test(name)) return String(amount)
  for (const unit of BINARY) {
    if (rest === 0 || rest % 1024 !== 0) break
    rest /= 1024
    suffix = unit
  }
  return `${rest}${suffix}`
}
