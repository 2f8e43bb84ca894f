import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { checkConfigKey, checkEnvironmentName, checkQualifiedName, checkSubdomain } from './names.ts'
import type { Report } from './report.ts'

const POD_FIELDS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])
/** What only a file of a downward API volume can show. */
const MAP_FIELDS = new Set(['metadata.labels', 'metadata.annotations'])
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

/** Checks `env` and `envFrom` of a container. */
export function validateEnvironment(container: JsonObject, field: string, report: Report): void {
  for (const [index, variable] of listOf(container['env']).map(objectOf).entries()) {
    const at = `${field}.env[${index}]`
    const name = textOf(variable['name'])
    if (name === '') report.required(`${at}.name`)
    else report.each(`${at}.name`, name, checkEnvironmentName(name))
    if (variable['valueFrom'] !== undefined) validateSource(variable, `${at}.valueFrom`, report)
  }
  for (const [index, source] of listOf(container['envFrom']).map(objectOf).entries()) {
    validateEnvFrom(source, `${field}.envFrom`, index, report)
  }
}

function validateSource(variable: JsonObject, field: string, report: Report): void {
  const source = objectOf(variable['valueFrom'])
  const chosen = SOURCES.filter((name) => source[name] !== undefined)
  validateFieldRef(source['fieldRef'], `${field}.fieldRef`, report)
  const resource = source['resourceFieldRef']
  if (resource !== undefined) {
    const name = textOf(objectOf(resource)['resource'])
    if (name === '') report.required(`${field}.resourceFieldRef.resource`)
    else if (!/^(?:limits|requests)\.hugepages-/.test(name)) {
      report.oneOf(`${field}.resourceFieldRef.resource`, name, RESOURCES)
    }
  }
  for (const name of ['configMapKeyRef', 'secretKeyRef'])
    validateKeyRef(source[name], `${field}.${name}`, report)
  if (chosen.length === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    report.invalid(field, '', why)
  } else if (textOf(variable['value']) !== '') {
    report.invalid(field, '', 'may not be specified when `value` is not empty')
  } else if (chosen.length > 1) {
    report.invalid(field, '', 'may not have more than one field specified at a time')
  }
}

/** A reference to a field of the pod, as environment variables and (with whole maps) downward API volumes use it. */
export function validateFieldRef(value: unknown, field: string, report: Report, withMaps = false): void {
  if (value === undefined) return
  const path = textOf(objectOf(value)['fieldPath'])
  if (path === '') {
    report.required(`${field}.fieldPath`)
    return
  }
  const [, name, key] = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(path) ?? []
  if (name !== undefined && key !== undefined) {
    report.each(`${field}.fieldPath`, path, checkQualifiedName(key))
  } else if (!POD_FIELDS.has(path) && !(withMaps && MAP_FIELDS.has(path))) {
    const why = `error converting fieldPath: field label not supported: ${path}`
    report.invalid(`${field}.fieldPath`, path, why)
  }
}

function validateKeyRef(value: unknown, field: string, report: Report): void {
  if (value === undefined) return
  const name = textOf(objectOf(value)['name'])
  const key = textOf(objectOf(value)['key'])
  report.each(`${field}.name`, name, checkSubdomain(name))
  if (key === '') report.required(`${field}.key`)
  else report.each(`${field}.key`, key, checkConfigKey(key))
}

function validateEnvFrom(source: JsonObject, list: string, index: number, report: Report): void {
  const field = `${list}[${index}]`
  const prefix = textOf(source['prefix'])
  if (prefix !== '') report.each(`${field}.prefix`, prefix, checkEnvironmentName(prefix))
  const chosen = ['configMapRef', 'secretRef'].filter((name) => source[name] !== undefined)
  for (const kind of chosen) {
    const name = textOf(objectOf(source[kind])['name'])
    if (name === '') report.required(`${field}.${kind}.name`)
    else report.each(`${field}.${kind}.name`, name, checkSubdomain(name))
  }
  // The real server names the list here, not the item.
  if (chosen.length === 0) report.invalid(list, '', 'must specify one of: `configMapRef` or `secretRef`')
  if (chosen.length > 1) report.invalid(list, '', 'may not have more than one field specified at a time')
}
