/*
 * Two choices per request. Which backend: smooth weighted round robin, exact over every full turn (25 % is 25 of every 100,
 * spread evenly, nothing left to chance). Which endpoint: the next two in rotation, and of them the one with fewer requests
 * under way, so that a slow instance is spared.
 */
import type { Backend, Rule } from './table.ts'

type Turn = { readonly signature: string; readonly current: number[] }
export type Rotation = { readonly turns: Map<string, Turn>; readonly places: Map<string, number> }

export function newRotation(): Rotation {
  return { turns: new Map(), places: new Map() }
}

/** The backend whose turn it is; undefined when no backend has any weight. */
export function nextBackend(rotation: Rotation, rule: Rule): Backend | undefined {
  const { backends } = rule
  if (backends.length <= 1) return (backends[0]?.weight ?? 0) > 0 ? backends[0] : undefined
  const signature = backends.map(({ name, weight }) => `${name}:${weight}`).join(' ')
  let turn = rotation.turns.get(rule.key)
  if (turn?.signature !== signature) {
    turn = { signature, current: backends.map(() => 0) }
    rotation.turns.set(rule.key, turn)
  }
  const { current } = turn
  let total = 0
  let chosen = -1
  for (const [index, { weight }] of backends.entries()) {
    total += weight
    current[index] = (current[index] ?? 0) + weight
    if (weight > 0 && (chosen < 0 || (current[index] ?? 0) > (current[chosen] ?? 0))) chosen = index
  }
  if (chosen < 0) return undefined
  current[chosen] = (current[chosen] ?? 0) - total
  return backends[chosen]
}

/** Forgets the rotation of rules that are no more. */
export function pruneRotation(rotation: Rotation, rules: ReadonlySet<string>): void {
  for (const key of rotation.turns.keys()) if (!rules.has(key)) rotation.turns.delete(key)
}

/** The next usable item in rotation, the less busy one of two; undefined when none is usable. */
export function nextInRotation<T>(
  rotation: Rotation,
  key: string,
  items: readonly T[],
  judge: { readonly isUsable: (item: T) => boolean; readonly load: (item: T) => number },
): T | undefined {
  const start = rotation.places.get(key) ?? 0
  let first: T | undefined
  for (let offset = 0; offset < items.length; offset += 1) {
    const place = (start + offset) % items.length
    const item = items[place]
    if (item === undefined || !judge.isUsable(item)) continue
    if (first === undefined) {
      first = item
      rotation.places.set(key, place + 1)
      continue
    }
    return judge.load(item) < judge.load(first) ? item : first
  }
  return first
}
