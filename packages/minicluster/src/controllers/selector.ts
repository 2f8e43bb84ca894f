import type { Objects } from '../model.ts'

type LabelSelector = NonNullable<NonNullable<Objects['replicasets']['spec']>['selector']>
type Labels = Readonly<Record<string, string>>

/**
 * Says whether labels fulfil a LabelSelector. An empty selector matches everything, an absent one nothing.
 * Source: the LabelSelector of the Kubernetes API; an unknown operator matches nothing, because validation refuses it.
 */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false
  const present = labels ?? {}
  if (!matchesLabels(selector.matchLabels, present)) return false
  return (selector.matchExpressions ?? []).every((expression) =>
    matchesExpression(expression.operator, present[expression.key], expression.values ?? []),
  )
}

/** Says whether `labels` carry every pair of `wanted`. */
export function matchesLabels(wanted: Labels | undefined, labels: Labels | undefined): boolean {
  if (wanted === undefined) return true
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value)
}

/** One requirement of a selector, on the value of its label. */
export function matchesExpression(
  operator: string,
  value: string | undefined,
  values: readonly string[],
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
