import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { quantityNano } from '../../schema/quantity.ts'
import { validateRelativePath } from './container.ts'
import { validateFieldRef } from './environment.ts'
import { checkConfigKey, checkLabel } from './names.ts'
import type { Report } from './report.ts'

const MODE_MAX = 0o777
const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const TOKEN_SECONDS_MIN = 600
const TOKEN_SECONDS_MAX = 2 ** 32

/** Checks the volumes of a pod and returns their names. */
export function validateVolumes(spec: JsonObject, field: string, report: Report): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [index, volume] of listOf(spec['volumes']).map(objectOf).entries()) {
    const at = `${field}.volumes[${index}]`
    const name = textOf(volume['name'])
    validateSource(volume, at, report)
    if (name === '') report.required(`${at}.name`)
    else report.each(`${at}.name`, name, checkLabel(name))
    if (name !== '' && names.has(name)) report.duplicate(`${at}.name`, name)
    names.add(name)
  }
  return names
}

function validateSource(volume: JsonObject, field: string, report: Report): void {
  const { name: _name, ...sources } = volume
  const kinds = Object.keys(sources)
  // A fixed order, so that the same volume always gets the same answer.
  const [kind = 'emptyDir', ...more] = ['emptyDir', ...kinds.filter((one) => one !== 'emptyDir')].filter(
    (one) => kinds.includes(one),
  )
  for (const one of more) report.forbidden(`${field}.${one}`, 'may not specify more than 1 volume type')
  const source = objectOf(sources[kind])
  const at = `${field}.${kind}`
  switch (kind) {
    case 'emptyDir':
      return validateEmptyDir(source, at, report)
    case 'hostPath':
      return validateHostPath(source, at, report)
    case 'secret':
      return validateFiles(source, { field: at, name: 'secretName' }, report)
    case 'configMap':
      return validateFiles(source, { field: at, name: 'name' }, report)
    case 'downwardAPI':
      return validateDownward(source, at, report)
    case 'projected':
      return validateProjected(source, at, report)
    case 'persistentVolumeClaim':
      if (textOf(source['claimName']) === '') report.required(`${at}.claimName`)
      return
    default:
  }
}

function validateEmptyDir(source: JsonObject, field: string, report: Report): void {
  const nano = quantityNano(textOf(source['sizeLimit']))
  if (nano !== undefined && nano < 0n) {
    report.forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')
  }
}

function validateHostPath(source: JsonObject, field: string, report: Report): void {
  const path = textOf(source['path'])
  if (path === '') {
    report.required(`${field}.path`)
    return
  }
  if (path.split('/').includes('..')) report.invalid(`${field}.path`, path, "must not contain '..'")
  report.oneOf(`${field}.type`, source['type'] ?? '', HOST_PATH_TYPES)
}

function validateFiles(
  source: JsonObject,
  { field, name }: { readonly field: string; readonly name: string },
  report: Report,
): void {
  if (textOf(source[name]) === '') report.required(`${field}.${name}`)
  validateMode(source['defaultMode'], `${field}.defaultMode`, report)
  validateItems(source['items'], `${field}.items`, report)
}

function validateItems(items: unknown, field: string, report: Report): void {
  for (const [index, item] of listOf(items).map(objectOf).entries()) {
    const at = `${field}[${index}]`
    const key = textOf(item['key'])
    if (key === '') report.required(`${at}.key`)
    else report.each(`${at}.key`, key, checkConfigKey(key))
    validatePath(textOf(item['path']), `${at}.path`, report)
    validateMode(item['mode'], `${at}.mode`, report)
  }
}

function validatePath(path: string, field: string, report: Report): void {
  if (path === '') report.required(field)
  else validateRelativePath(path, field, report)
  if (path.startsWith('..') && !path.split('/').includes('..'))
    report.invalid(field, path, "must not start with '..'")
}

function validateMode(mode: unknown, field: string, report: Report): void {
  if (typeof mode === 'number' && (mode < 0 || mode > MODE_MAX)) {
    report.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
  }
}

function validateDownward(source: JsonObject, field: string, report: Report): void {
  validateMode(source['defaultMode'], `${field}.defaultMode`, report)
  for (const item of listOf(source['items']).map(objectOf)) {
    validatePath(textOf(item['path']), `${field}.path`, report)
    // The real server leaves the item's number out of this path.
    validateFieldRef(item['fieldRef'], `${field}.fieldRef`, report, true)
    if (item['fieldRef'] === undefined && item['resourceFieldRef'] === undefined) {
      report.required(field, 'one of fieldRef and resourceFieldRef is required')
    }
  }
}

function validateProjected(projected: JsonObject, field: string, report: Report): void {
  validateMode(projected['defaultMode'], `${field}.defaultMode`, report)
  for (const [index, source] of listOf(projected['sources']).map(objectOf).entries()) {
    const at = `${field}.sources[${index}]`
    const kinds = Object.keys(source)
    if (kinds.length > 1) report.forbidden(at, 'may not specify more than 1 volume type per source')
    for (const kind of ['secret', 'configMap']) {
      if (source[kind] === undefined) continue
      if (textOf(objectOf(source[kind])['name']) === '') report.required(`${at}.${kind}.name`)
      validateItems(objectOf(source[kind])['items'], `${at}.${kind}.items`, report)
    }
    if (source['downwardAPI'] !== undefined)
      validateDownward(objectOf(source['downwardAPI']), `${at}.downwardAPI`, report)
    if (source['serviceAccountToken'] !== undefined) {
      validateToken(objectOf(source['serviceAccountToken']), `${at}.serviceAccountToken`, report)
      if (textOf(objectOf(source['serviceAccountToken'])['path']) === '') report.required(`${field}.path`)
    }
  }
}

function validateToken(token: JsonObject, field: string, report: Report): void {
  const seconds = token['expirationSeconds']
  if (typeof seconds !== 'number') return
  const at = `${field}.expirationSeconds`
  if (seconds < TOKEN_SECONDS_MIN)
    report.invalid(at, seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > TOKEN_SECONDS_MAX)
    report.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')
}
