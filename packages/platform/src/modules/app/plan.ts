import type { StoredVariable, Variable } from './model.ts'

export type VariableChange = {
  readonly set: readonly Variable[]
  readonly remove: readonly string[]
}

export type ChangedVariables =
  | { readonly kind: 'changed'; readonly variables: readonly Variable[] }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'reserved'; readonly name: string }
  | { readonly kind: 'unchanged' }

/**
 * Names that the platform, the kubelet or Kubernetes set in every Instance: an own value would be ignored here and obeyed there, or
 * lead an application astray. Everything else is the application's, also what makes its programs load others (LD_PRELOAD,
 * NODE_OPTIONS, PATH): whoever may set variables also says which code runs, and it runs with no more rights than that code.
 */
const RESERVED = /^(?:PORT|HOST|POD_IP|(?:SLIPWAY|KUBERNETES)_.*)$/u

/** The variables after a change, by name in byte order. Values are in the clear on both sides. */
export function changeVariables(before: readonly Variable[], change: VariableChange): ChangedVariables {
  const after = new Map(before.map((variable) => [variable.name, variable]))
  for (const name of change.remove) {
    if (!after.delete(name)) return { kind: 'unknown', name }
  }
  const reserved = change.set.find(({ name }) => RESERVED.test(name))
  if (reserved) return { kind: 'reserved', name: reserved.name }
  for (const variable of change.set) after.set(variable.name, variable)
  const variables = [...after.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return sameVariables(before, variables) ? { kind: 'unchanged' } : { kind: 'changed', variables }
}

function sameVariables(a: readonly Variable[], b: readonly Variable[]): boolean {
  const text = (list: readonly Variable[]): string =>
    list
      .map(({ name, secret, value }) => JSON.stringify([name, secret, value]))
      .sort()
      .join('\n')
  return text(a) === text(b)
}

/** What a person may see of a revision: names of all, values of those that are no secret. */
export function shownVariables(
  variables: readonly StoredVariable[],
): { name: string; secret: boolean; value: string | null }[] {
  return variables.map(({ name, secret, value }) => ({ name, secret, value: secret ? null : value }))
}
