import { matchesExpression } from '../../controllers/selector.ts'
import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { validateLabels } from './meta.ts'
import { checkLabelValue, checkQualifiedName } from './names.ts'
import type { Report } from './report.ts'

/** Checks a label selector; true when it can be used. */
export function validateSelector(selector: unknown, field: string, report: Report): boolean {
  const found = report.causes.length
  const { matchLabels, matchExpressions } = objectOf(selector)
  validateLabels(matchLabels, `${field}.matchLabels`, report)
  for (const [index, expression] of listOf(matchExpressions).entries()) {
    validateExpression(objectOf(expression), `${field}.matchExpressions[${index}]`, report)
  }
  return report.causes.length === found
}

/** One requirement of a label selector, or (with Gt and Lt) of a node selector. */
export function validateExpression(
  expression: JsonObject,
  field: string,
  report: Report,
  withNumbers = false,
): void {
  const operator = textOf(expression['operator'])
  const values = listOf(expression['values'])
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      report.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    if (values.length > 0) report.forbidden(`${field}.values`, why)
  } else if (withNumbers && (operator === 'Gt' || operator === 'Lt')) {
    const why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
    if (values.length !== 1) report.required(`${field}.values`, why)
  } else report.invalid(`${field}.operator`, operator, 'not a valid selector operator')
  const key = textOf(expression['key'])
  report.each(`${field}.key`, key, checkQualifiedName(key))
  if (withNumbers) return
  for (const [index, value] of values.entries()) {
    report.each(`${field}.values[${index}]`, value, checkLabelValue(textOf(value)))
  }
}

/** True when the labels fulfil the selector. One that selects nothing by itself matches nothing. */
export function selects(selector: unknown, labels: JsonObject): boolean {
  const { matchLabels, matchExpressions } = objectOf(selector)
  const equal = Object.entries(objectOf(matchLabels)).every(([key, value]) => labels[key] === value)
  return equal && listOf(matchExpressions).every((expression) => fulfils(objectOf(expression), labels))
}

function fulfils(expression: JsonObject, labels: JsonObject): boolean {
  const value = labels[textOf(expression['key'])]
  const values = listOf(expression['values']).map(textOf)
  return matchesExpression(
    textOf(expression['operator']),
    value === undefined ? value : textOf(value),
    values,
  )
}

export function isEmptySelector(selector: unknown): boolean {
  const { matchLabels, matchExpressions } = objectOf(selector)
  return Object.keys(objectOf(matchLabels)).length === 0 && listOf(matchExpressions).length === 0
}
