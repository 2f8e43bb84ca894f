import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { checkQualifiedName } from './names.ts'
import type { Report } from './report.ts'
import { validateExpression, validateSelector } from './selector.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

export function validateTolerations(tolerations: readonly JsonObject[], field: string, report: Report): void {
  for (const [index, toleration] of tolerations.entries()) {
    const at = `${field}[${index}]`
    const key = textOf(toleration['key'])
    const operator = textOf(toleration['operator']) || 'Equal'
    const effect = textOf(toleration['effect'])
    const value = textOf(toleration['value'])
    if (key !== '') report.each(`${at}.key`, key, checkQualifiedName(key))
    else if (operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      report.invalid(`${at}.operator`, operator, why)
    }
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
      report.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    }
    if (operator === 'Exists' && value !== '') {
      report.invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'")
    }
    report.oneOf(`${at}.operator`, operator, ['Equal', 'Exists'])
    if (effect !== '') report.oneOf(`${at}.effect`, effect, EFFECTS)
  }
}

export function validateAffinity(affinity: JsonObject, field: string, report: Report): void {
  const node = objectOf(affinity['nodeAffinity'])
  if (node[REQUIRED] !== undefined) {
    const terms = listOf(objectOf(node[REQUIRED])['nodeSelectorTerms']).map(objectOf)
    const at = `${field}.nodeAffinity.${REQUIRED}.nodeSelectorTerms`
    if (terms.length === 0) report.required(at, 'must have at least one node selector term')
    for (const [index, term] of terms.entries()) validateNodeTerm(term, `${at}[${index}]`, report)
  }
  for (const [index, one] of listOf(node[PREFERRED]).map(objectOf).entries()) {
    const at = `${field}.nodeAffinity.${PREFERRED}[${index}]`
    validateWeight(one['weight'], at, report)
    validateNodeTerm(objectOf(one['preference']), `${at}.preference`, report)
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const terms = objectOf(affinity[kind])
    for (const [index, term] of listOf(terms[REQUIRED]).map(objectOf).entries()) {
      validatePodTerm(term, `${field}.${kind}.${REQUIRED}[${index}]`, report)
    }
    for (const [index, one] of listOf(terms[PREFERRED]).map(objectOf).entries()) {
      const at = `${field}.${kind}.${PREFERRED}[${index}]`
      validateWeight(one['weight'], at, report)
      validatePodTerm(objectOf(one['podAffinityTerm']), `${at}.podAffinityTerm`, report)
    }
  }
}

function validateNodeTerm(term: JsonObject, field: string, report: Report): void {
  for (const [index, expression] of listOf(term['matchExpressions']).map(objectOf).entries()) {
    validateExpression(expression, `${field}.matchExpressions[${index}]`, report, true)
  }
}

function validateWeight(weight: unknown, field: string, report: Report): void {
  if (typeof weight !== 'number' || weight < 1 || weight > 100) {
    report.invalid(`${field}.weight`, weight, 'must be in the range 1-100')
  }
}

function validatePodTerm(term: JsonObject, field: string, report: Report): void {
  if (term['labelSelector'] !== undefined)
    validateSelector(term['labelSelector'], `${field}.labelSelector`, report)
  const key = textOf(term['topologyKey'])
  if (key === '') report.required(`${field}.topologyKey`, 'can not be empty')
  report.each(`${field}.topologyKey`, key, checkQualifiedName(key))
}

export function validateSpread(constraints: readonly JsonObject[], field: string, report: Report): void {
  for (const [index, constraint] of constraints.entries()) {
    const at = `${field}[${index}]`
    const skew = constraint['maxSkew']
    if (typeof skew !== 'number' || skew <= 0)
      report.invalid(`${at}.maxSkew`, skew, 'must be greater than zero')
    if (textOf(constraint['topologyKey']) === '') report.required(`${at}.topologyKey`, 'can not be empty')
    report.oneOf(`${at}.whenUnsatisfiable`, constraint['whenUnsatisfiable'], [
      'DoNotSchedule',
      'ScheduleAnyway',
    ])
    if (constraint['labelSelector'] !== undefined) {
      validateSelector(constraint['labelSelector'], `${at}.labelSelector`, report)
    }
  }
}

/** Taints of a node. */
export function validateTaints(taints: readonly JsonObject[], field: string, report: Report): void {
  const known = new Set<string>()
  for (const [index, taint] of taints.entries()) {
    const at = `${field}[${index}]`
    const key = textOf(taint['key'])
    report.each(`${at}.key`, key, checkQualifiedName(key))
    report.oneOf(`${at}.effect`, taint['effect'], EFFECTS)
    const claim = `${key}:${textOf(taint['effect'])}`
    if (known.has(claim)) report.duplicate(at, taint)
    known.add(claim)
  }
}
