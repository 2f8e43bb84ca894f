import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, sameJson, textOf } from '../../schema/json.ts'
import { quantityNano } from '../../schema/quantity.ts'
import { checkConfigKey, checkQualifiedName, IMMUTABLE, NOT_NEGATIVE } from './names.ts'
import type { Report } from './report.ts'
import { validateTaints } from './scheduling.ts'

const DATA_MAX_BYTES = 1024 * 1024
const FROZEN = 'field is immutable when `immutable` is set'

export function validateConfigMap(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const data = objectOf(object['data'])
  const binaryData = objectOf(object['binaryData'])
  let sizeBytes = 0
  for (const [key, value] of Object.entries(data)) {
    report.each(`data[${key}]`, key, checkConfigKey(key))
    if (Object.hasOwn(binaryData, key))
      report.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')
    sizeBytes += Buffer.byteLength(textOf(value))
  }
  for (const [key, value] of Object.entries(binaryData)) {
    report.each(`binaryData[${key}]`, key, checkConfigKey(key))
    sizeBytes += Buffer.byteLength(textOf(value), 'base64')
  }
  // The real server names no field here.
  if (sizeBytes > DATA_MAX_BYTES) report.tooLong('[]', DATA_MAX_BYTES)
  if (old) refuseFrozenChanges(object, old, ['data', 'binaryData'], report)
}

function refuseFrozenChanges(
  object: JsonObject,
  old: JsonObject,
  fields: readonly string[],
  report: Report,
): void {
  if (old['immutable'] !== true) return
  for (const field of ['immutable', ...fields]) {
    if (!sameJson(object[field], old[field])) report.forbidden(field, FROZEN)
  }
}

const REQUIRED_KEYS: { readonly [type: string]: readonly string[] } = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
}
const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'

export function validateSecret(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const data = objectOf(object['data'])
  const type = textOf(object['type'])
  let sizeBytes = 0
  for (const [key, value] of Object.entries(data)) {
    report.each(`data[${key}]`, key, checkConfigKey(key))
    sizeBytes += Buffer.byteLength(textOf(value), 'base64')
  }
  if (sizeBytes > DATA_MAX_BYTES) report.tooLong('data', DATA_MAX_BYTES)
  for (const key of REQUIRED_KEYS[type] ?? []) {
    if (!Object.hasOwn(data, key)) report.required(`data[${key}]`)
    else if (key.startsWith('.docker')) validateJsonValue(textOf(data[key]), `data[${key}]`, report)
  }
  if (
    type === 'kubernetes.io/basic-auth' &&
    !Object.hasOwn(data, 'username') &&
    !Object.hasOwn(data, 'password')
  ) {
    for (const key of ['username', 'password']) report.required(`data[${key}]`)
  }
  const annotations = objectOf(objectOf(object['metadata'])['annotations'])
  if (type === 'kubernetes.io/service-account-token' && textOf(annotations[ACCOUNT_ANNOTATION]) === '') {
    report.required(`metadata.annotations[${ACCOUNT_ANNOTATION}]`)
  }
  if (!old) return
  if (type !== old['type']) report.invalid('type', type, IMMUTABLE)
  refuseFrozenChanges(object, old, ['data'], report)
}

/** The content of a secret is never repeated in a message. */
function validateJsonValue(encoded: string, field: string, report: Report): void {
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  try {
    JSON.parse(text)
  } catch {
    report.invalid(field, '<secret contents redacted>', jsonProblem(text))
  }
}

function jsonProblem(text: string): string {
  const first = text.trimStart().at(0)
  if (first === undefined) return 'unexpected end of JSON input'
  return /[[{"0-9tfn-]/.test(first)
    ? 'the value is not valid JSON'
    : `invalid character '${first}' looking for beginning of value`
}

const COUNTED = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])
const MEASURED = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]

export function validateResourceQuota(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  for (const [name, amount] of Object.entries(objectOf(spec['hard']))) {
    validateQuota(name, textOf(amount), `spec.hard[${name}]`, report)
  }
  const scopes = listOf(spec['scopes'])
  if (scopes.some((scope) => !SCOPES.includes(textOf(scope))))
    report.invalid('spec.scopes', scopes, 'unsupported scope')
  if (old && !sameJson(spec['scopes'], objectOf(old['spec'])['scopes'])) {
    report.invalid('spec.scopes', spec['scopes'], IMMUTABLE)
  }
}

function validateQuota(name: string, amount: string, field: string, report: Report): void {
  const problems = checkQualifiedName(name)
  report.each(field, name, problems)
  const isKnown = COUNTED.has(name) || MEASURED.has(name) || /^(?:requests|limits)?\.?hugepages-/.test(name)
  if (problems.length === 0 && !name.includes('/') && !isKnown) {
    report.invalid(field, name, 'must be a standard resource type or fully qualified')
    report.invalid(field, name, 'must be a standard resource for quota')
  }
  const nano = quantityNano(amount) ?? 0n
  if (nano < 0n) report.invalid(field, amount, NOT_NEGATIVE)
  const isCount = COUNTED.has(name) || name.startsWith('count/')
  if (isCount && nano % 1_000_000_000n !== 0n) report.invalid(field, amount, 'must be an integer')
}

export function validateNode(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  validateTaints(listOf(spec['taints']).map(objectOf), 'metadata.taints', report)
  const before = textOf(objectOf(old?.['spec'])['providerID'])
  if (before !== '' && before !== textOf(spec['providerID'])) {
    report.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid')
  }
}

export function validateLease(object: JsonObject, report: Report): void {
  const spec = objectOf(object['spec'])
  const { leaseDurationSeconds, leaseTransitions } = spec
  if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    report.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')
  }
  if (typeof leaseTransitions === 'number' && leaseTransitions < 0) {
    report.invalid('spec.leaseTransitions', leaseTransitions, NOT_NEGATIVE)
  }
}

export function validateEvent(object: JsonObject, report: Report): void {
  const namespace = textOf(objectOf(object['metadata'])['namespace'])
  const involved = textOf(objectOf(object['involvedObject'] ?? object['regarding'])['namespace'])
  if (involved === '' ? namespace !== 'default' && namespace !== '' : involved !== namespace) {
    report.invalid('involvedObject.namespace', involved, 'does not match event.namespace')
  }
}
