import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, sameJson, textOf, without } from '../../schema/json.ts'
import { validateContainers, validateSeccomp } from './container.ts'
import { validateLabels } from './meta.ts'
import { checkId, checkIp, checkLabel, checkQualifiedName, checkSubdomain } from './names.ts'
import type { Report } from './report.ts'
import { validateAffinity, validateSpread, validateTolerations } from './scheduling.ts'
import { validateVolumes } from './volume.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const SYSCTL = /^(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_TEXT =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'

/** Checks the spec of a pod or of a template. */
export function validatePodSpec(spec: JsonObject, field: string, report: Report): void {
  const volumes = validateVolumes(spec, field, report)
  validateContainers(spec, field, { volumes, hostNetwork: spec['hostNetwork'] === true }, report)
  report.oneOf(`${field}.restartPolicy`, spec['restartPolicy'], RESTART_POLICIES)
  report.oneOf(`${field}.dnsPolicy`, spec['dnsPolicy'], DNS_POLICIES)
  if (spec['dnsPolicy'] === 'None' && listOf(objectOf(spec['dnsConfig'])['nameservers']).length === 0) {
    report.required(`${field}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None')
  }
  validateLabels(spec['nodeSelector'], `${field}.nodeSelector`, report)
  validateSecurity(spec, `${field}.securityContext`, report)
  validateNames(spec, field, report)
  validateAffinity(objectOf(spec['affinity']), `${field}.affinity`, report)
  validateTolerations(listOf(spec['tolerations']).map(objectOf), `${field}.tolerations`, report)
  validateSpread(
    listOf(spec['topologySpreadConstraints']).map(objectOf),
    `${field}.topologySpreadConstraints`,
    report,
  )
  validateGates(spec, field, report)
  const deadline = spec['activeDeadlineSeconds']
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2_147_483_647)) {
    report.invalid(`${field}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive')
  }
  if (spec['os'] !== undefined) {
    const name = objectOf(spec['os'])['name']
    if (name !== 'linux' && name !== 'windows') report.oneOf(`${field}.os`, name, ['linux', 'windows'])
  }
}

function validateNames(spec: JsonObject, field: string, report: Report): void {
  for (const key of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName']) {
    const name = textOf(spec[key])
    if (name !== '') report.each(`${field}.${key}`, name, checkSubdomain(name))
  }
  for (const key of ['hostname', 'subdomain']) {
    const name = textOf(spec[key])
    if (name !== '') report.each(`${field}.${key}`, name, checkLabel(name))
  }
  for (const [index, alias] of listOf(spec['hostAliases']).map(objectOf).entries()) {
    const ip = textOf(alias['ip'])
    report.each(`${field}.hostAliases[${index}].ip`, ip, checkIp(ip))
    for (const [at, name] of listOf(alias['hostnames']).map(textOf).entries()) {
      report.each(`${field}.hostAliases[${index}].hostnames[${at}]`, name, checkSubdomain(name))
    }
  }
}

function validateSecurity(spec: JsonObject, field: string, report: Report): void {
  const context = objectOf(spec['securityContext'])
  for (const key of ['fsGroup', 'runAsUser', 'runAsGroup']) {
    if (context[key] !== undefined) report.each(`${field}.${key}`, context[key], checkId(context[key]))
  }
  for (const [index, group] of listOf(context['supplementalGroups']).entries()) {
    report.each(`${field}.supplementalGroups[${index}]`, group, checkId(group))
  }
  if (spec['shareProcessNamespace'] === true && spec['hostPID'] === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled'
    report.invalid(`${field}.shareProcessNamespace`, true, why)
  }
  for (const [index, sysctl] of listOf(context['sysctls']).map(objectOf).entries()) {
    const name = textOf(sysctl['name'])
    if (name.length > 253 || !SYSCTL.test(name))
      report.invalid(`${field}.sysctls[${index}].name`, name, SYSCTL_TEXT)
  }
  validateSeccomp(context['seccompProfile'], `${field}.seccompProfile`, report)
}

function validateGates(spec: JsonObject, field: string, report: Report): void {
  const known = new Set<string>()
  for (const [index, gate] of listOf(spec['schedulingGates']).map(objectOf).entries()) {
    const name = textOf(gate['name'])
    report.each(`${field}.schedulingGates[${index}]`, name, checkQualifiedName(name))
    if (known.has(name)) report.duplicate(`${field}.schedulingGates[${index}]`, name)
    known.add(name)
  }
  for (const [index, gate] of listOf(spec['readinessGates']).map(objectOf).entries()) {
    const type = textOf(gate['conditionType'])
    report.each(`${field}.readinessGates[${index}].conditionType`, type, checkQualifiedName(type))
  }
}

const ALLOWED_CHANGES =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** A running pod keeps its spec, but for images, deadline and further tolerations. The node is set once, by binding. */
export function validatePodUpdate(spec: JsonObject, old: JsonObject, report: Report): void {
  for (const list of ['containers', 'initContainers']) {
    if (listOf(spec[list]).length !== listOf(old[list]).length) {
      report.forbidden(`spec.${list}`, 'pod updates may not add or remove containers')
      return
    }
  }
  const tolerations = listOf(spec['tolerations'])
  const removed = listOf(old['tolerations']).filter(
    (one) => !tolerations.some((other) => sameJson(one, other)),
  )
  if (removed.length > 0) {
    const why = 'existing toleration can not be modified except its tolerationSeconds'
    const changed = removed.filter((one) => !tolerations.some((other) => isSameButSeconds(one, other)))
    if (changed.length > 0) report.forbidden('spec.tolerations', why)
  }
  const deadline = spec['activeDeadlineSeconds']
  const oldDeadline = old['activeDeadlineSeconds']
  if (typeof oldDeadline === 'number' && deadline === undefined) {
    report.invalid(
      'spec.activeDeadlineSeconds',
      deadline,
      'must not update from a positive integer to nil value',
    )
  } else if (typeof oldDeadline === 'number' && typeof deadline === 'number' && deadline > oldDeadline) {
    report.invalid('spec.activeDeadlineSeconds', deadline, `must be less than or equal to previous value`)
  }
  if (!sameJson(fixedPart(spec, old), fixedPart(old, old))) report.forbidden('spec', ALLOWED_CHANGES)
}

function isSameButSeconds(a: unknown, b: unknown): boolean {
  return sameJson(without(objectOf(a), 'tolerationSeconds'), without(objectOf(b), 'tolerationSeconds'))
}

function fixedPart(spec: JsonObject, old: JsonObject): JsonObject {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec
  const withoutImages = (list: unknown): unknown => listOf(list).map((one) => without(objectOf(one), 'image'))
  const graceMayEnd =
    typeof old['terminationGracePeriodSeconds'] === 'number' && old['terminationGracePeriodSeconds'] < 0
  return {
    ...(graceMayEnd && spec['terminationGracePeriodSeconds'] === 1
      ? { ...rest, terminationGracePeriodSeconds: old['terminationGracePeriodSeconds'] }
      : rest),
    containers: withoutImages(spec['containers']),
    initContainers: withoutImages(spec['initContainers']),
  }
}
