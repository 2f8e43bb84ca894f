type Condition = {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/**
 * Sets one condition in a list. The time of transition moves only when the status does, and an equal condition leaves the list
 * as it is, so that writing it again is no write.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  condition: C,
  now: string,
): readonly C[] {
  const known = conditions?.find((other) => other.type === condition.type)
  const lastTransitionTime =
    known?.status === condition.status
      ? (known.lastTransitionTime ?? now)
      : (condition.lastTransitionTime ?? now)
  const next = { ...condition, lastTransitionTime }
  if (!known) return [...(conditions ?? []), next]
  return (conditions ?? []).map((other) => (other.type === condition.type ? next : other))
}

/** Times as the Kubernetes API writes them: whole seconds. */
export function timeText(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}
