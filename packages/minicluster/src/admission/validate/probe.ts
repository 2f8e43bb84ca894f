import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { checkHeaderName, checkPortNumber, checkPortReference, NOT_NEGATIVE } from './names.ts'
import type { Report } from './report.ts'

type ProbeKind = 'livenessProbe' | 'readinessProbe' | 'startupProbe'
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const
const NUMBERS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

export function validateProbe(kind: ProbeKind, probe: JsonObject, field: string, report: Report): void {
  validateHandler(probe, field, report)
  for (const name of NUMBERS) {
    const value = probe[name]
    if (typeof value === 'number' && value < 0) report.invalid(`${field}.${name}`, value, NOT_NEGATIVE)
  }
  const grace = probe['terminationGracePeriodSeconds']
  if (typeof grace === 'number' && grace <= 0) {
    report.invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')
  } else if (grace !== undefined && kind === 'readinessProbe') {
    report.invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')
  }
  if (kind !== 'readinessProbe' && probe['successThreshold'] !== 1) {
    report.invalid(`${field}.successThreshold`, probe['successThreshold'], 'must be 1')
  }
}

/** Checks what a probe or a lifecycle hook does; it must be exactly one thing. */
export function validateHandler(handler: JsonObject, field: string, report: Report): void {
  const [first, ...more] = HANDLERS.filter((name) => handler[name] !== undefined)
  if (first === undefined) {
    report.required(field, 'must specify a handler type')
    return
  }
  for (const name of more) report.forbidden(`${field}.${name}`, 'may not specify more than 1 handler type')
  const action = objectOf(handler[first])
  const at = `${field}.${first}`
  if (first === 'exec' && listOf(action['command']).length === 0) report.required(`${at}.command`)
  if (first === 'httpGet') validateHttpGet(action, at, report)
  if (first === 'tcpSocket') report.each(`${at}.port`, action['port'], checkPortReference(action['port']))
  if (first === 'grpc') report.each(`${at}.port`, action['port'], checkPortNumber(action['port']))
}

function validateHttpGet(action: JsonObject, field: string, report: Report): void {
  if (textOf(action['path']) === '') report.required(`${field}.path`)
  report.each(`${field}.port`, action['port'], checkPortReference(action['port']))
  report.oneOf(`${field}.scheme`, action['scheme'], ['HTTP', 'HTTPS'])
  for (const header of listOf(action['httpHeaders']).map(objectOf)) {
    const name = textOf(header['name'])
    report.each(`${field}.httpHeaders`, name, checkHeaderName(name))
  }
}
