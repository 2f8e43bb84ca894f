import type { JsonObject } from '../../schema/json.ts'
import { objectOf, sameJson, textOf } from '../../schema/json.ts'
import { validateAnnotations, validateLabels } from './meta.ts'
import { checkPercent, IMMUTABLE, NOT_NEGATIVE } from './names.ts'
import { validatePodSpec } from './pod.ts'
import type { Report } from './report.ts'
import { isEmptySelector, selects, validateSelector } from './selector.ts'

export function validateDeployment(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  validateNumbers(spec, ['replicas'], report)
  validateReplicated(spec, 'deployment', report)
  validateStrategy(objectOf(spec['strategy']), report)
  validateNumbers(spec, ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], report)
  const deadline = spec['progressDeadlineSeconds']
  const ready = typeof spec['minReadySeconds'] === 'number' ? spec['minReadySeconds'] : 0
  if (typeof deadline === 'number' && deadline >= 0 && deadline <= ready) {
    report.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')
  }
  if (old) refuseChanges(spec, objectOf(old['spec']), ['selector'], report)
}

export function validateReplicaSet(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  validateNumbers(spec, ['replicas', 'minReadySeconds'], report)
  validateReplicated(spec, 'replica set', report)
  if (old) refuseChanges(spec, objectOf(old['spec']), ['selector'], report)
}

/** Selector and template of what keeps a number of pods running for good. */
function validateReplicated(spec: JsonObject, kind: string, report: Report): void {
  const { selector } = spec
  const isUsable = selector !== undefined && validateSelector(selector, 'spec.selector', report)
  if (selector === undefined) report.required('spec.selector')
  else if (isEmptySelector(selector))
    report.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)
  if (selector !== undefined && !isUsable) report.invalid('spec.selector', selector, 'invalid label selector')
  else if (selector === undefined || !isEmptySelector(selector)) requireMatch(spec, report)
  validateTemplate(spec, report)
  const podSpec = objectOf(objectOf(spec['template'])['spec'])
  if (textOf(podSpec['restartPolicy']) !== 'Always') {
    report.oneOf('spec.template.spec.restartPolicy', podSpec['restartPolicy'], ['Always'])
  }
  if (podSpec['activeDeadlineSeconds'] !== undefined) {
    const why = 'activeDeadlineSeconds in ReplicaSet is not Supported'
    report.forbidden('spec.template.spec.activeDeadlineSeconds', why)
  }
}

function requireMatch(spec: JsonObject, report: Report): void {
  const { labels } = objectOf(objectOf(spec['template'])['metadata'])
  if (spec['selector'] !== undefined && selects(spec['selector'], objectOf(labels))) return
  report.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')
}

function validateTemplate(spec: JsonObject, report: Report): void {
  const template = objectOf(spec['template'])
  const metadata = objectOf(template['metadata'])
  validateLabels(metadata['labels'], 'spec.template.labels', report)
  validateAnnotations(metadata['annotations'], 'spec.template.annotations', report)
  validatePodSpec(objectOf(template['spec']), 'spec.template.spec', report)
}

function validateStrategy(strategy: JsonObject, report: Report): void {
  const field = 'spec.strategy'
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return
    report.forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")
  } else if (type !== 'RollingUpdate') {
    const value = { Type: type, RollingUpdate: rollingUpdate ?? null }
    report.oneOf(field, value, ['Recreate', 'RollingUpdate'])
  } else validateRollingUpdate(objectOf(rollingUpdate), `${field}.rollingUpdate`, report)
}

function validateRollingUpdate(update: JsonObject, field: string, report: Report): void {
  const { maxSurge, maxUnavailable } = update
  const found = report.causes.length
  validateShare(maxUnavailable, `${field}.maxUnavailable`, report)
  validateShare(maxSurge, `${field}.maxSurge`, report)
  if (percentOf(maxUnavailable) > 100) {
    report.invalid(`${field}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%')
  }
  if (report.causes.length === found && isNone(maxUnavailable) && isNone(maxSurge)) {
    report.invalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')
  }
}

function validateShare(share: unknown, field: string, report: Report): void {
  if (typeof share === 'string') report.each(field, share, checkPercent(share))
  else if (typeof share === 'number' && share < 0) report.invalid(field, share, NOT_NEGATIVE)
}

function percentOf(share: unknown): number {
  return typeof share === 'string' && /^[0-9]+%$/.test(share) ? Number(share.slice(0, -1)) : 0
}

function isNone(share: unknown): boolean {
  return share === 0 || (typeof share === 'string' && percentOf(share) === 0)
}

const JOB_IMMUTABLE = [
  'completionMode',
  'completions',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'selector',
  'template',
]
const SCHEDULING = ['nodeSelector', 'affinity', 'tolerations', 'schedulingGates', 'topologySpreadConstraints']

export function validateJob(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  validateNumbers(
    spec,
    ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
    report,
  )
  validateNumbers(spec, ['backoffLimitPerIndex', 'maxFailedIndexes'], report)
  validateJobModes(spec, report)
  const uid = textOf(objectOf(object['metadata'])['uid'])
  validateJobSelector(spec, uid, report)
  validateTemplate(spec, report)
  const restartPolicy = objectOf(objectOf(spec['template'])['spec'])['restartPolicy']
  const field = 'spec.template.spec.restartPolicy'
  if (restartPolicy === 'Always') report.required(field, 'valid values: "OnFailure", "Never"')
  else if (spec['podFailurePolicy'] !== undefined && restartPolicy !== 'Never') {
    report.invalid(field, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')
  }
  if (old) validateJobUpdate(spec, old, report)
}

function validateJobModes(spec: JsonObject, report: Report): void {
  const mode = spec['completionMode']
  report.oneOf('spec.completionMode', mode, ['NonIndexed', 'Indexed'])
  if (mode === 'Indexed' && spec['completions'] === undefined) {
    report.required('spec.completions', 'when completion mode is Indexed')
  }
  if (spec['backoffLimitPerIndex'] !== undefined && mode !== 'Indexed') {
    report.invalid(
      'spec.backoffLimitPerIndex',
      spec['backoffLimitPerIndex'],
      'requires indexed completion mode',
    )
  }
  report.oneOf('spec.podReplacementPolicy', spec['podReplacementPolicy'], ['Failed', 'TerminatingOrFailed'])
}

function validateJobSelector(spec: JsonObject, uid: string, report: Report): void {
  const { selector } = spec
  if (selector === undefined) {
    // Without a uid the Job is not created yet, and its own selector is still to come.
    if (uid === '' && spec['manualSelector'] !== true) return
    report.required('spec.selector')
  } else {
    const isOwn = objectOf(objectOf(selector)['matchLabels'])['batch.kubernetes.io/controller-uid'] === uid
    if (spec['manualSelector'] !== true && !isOwn) {
      report.invalid('spec.selector', selector, '`selector` not auto-generated')
    }
    if (!validateSelector(selector, 'spec.selector', report)) return
  }
  requireMatch(spec, report)
}

function validateJobUpdate(spec: JsonObject, old: JsonObject, report: Report): void {
  const before = objectOf(old['spec'])
  // A Job that was created suspended may still be told where to run; an elastic one may change both counts together.
  const isWaiting = before['suspend'] === true && objectOf(old['status'])['startTime'] === undefined
  const isElastic =
    spec['completionMode'] === 'Indexed' &&
    spec['completions'] === spec['parallelism'] &&
    before['completions'] === before['parallelism']
  const fields = JOB_IMMUTABLE.filter((field) => !(field === 'completions' && isElastic))
  const visible = isWaiting
    ? { ...spec, template: withPlacement(spec['template'], before['template']) }
    : spec
  refuseChanges(visible, before, fields, report)
}

function withPlacement(template: unknown, old: unknown): unknown {
  const oldSpec = objectOf(objectOf(old)['spec'])
  const kept = Object.entries(objectOf(objectOf(template)['spec'])).filter(
    ([key]) => !SCHEDULING.includes(key),
  )
  const placement = Object.entries(oldSpec).filter(([key]) => SCHEDULING.includes(key))
  return {
    ...objectOf(template),
    metadata: objectOf(old)['metadata'],
    spec: Object.fromEntries([...kept, ...placement]),
  }
}

function refuseChanges(spec: JsonObject, old: JsonObject, fields: readonly string[], report: Report): void {
  for (const field of fields) {
    if (!sameJson(spec[field], old[field])) report.invalid(`spec.${field}`, spec[field], IMMUTABLE)
  }
}

function validateNumbers(spec: JsonObject, fields: readonly string[], report: Report): void {
  for (const field of fields) {
    const value = spec[field]
    if (typeof value === 'number' && value < 0) report.invalid(`spec.${field}`, value, NOT_NEGATIVE)
  }
}
