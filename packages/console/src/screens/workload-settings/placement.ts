import type { Neighbour, NodeCondition, Placement, Spread } from '@slipway/contract'

/* A placement as its form changes it, and what a change of it means. */

export const EMPTY: Placement = { nodes: [], spread: [], apart: [], together: [] }
/** What a wish counts as long as nobody says how much. */
export const WEIGHT = 50

export type Operator = NodeCondition['operator']
export type Over = Spread['over']
/** `soft`: as far as there is room. `hard`: rather waits. */
export type Evenness = 'none' | 'soft' | 'hard'

/** How evenly Instances are put over machines or zones. Pure. */
export function evennessOf({ spread }: Placement, over: Over): Evenness {
  const found = spread.find((one) => one.over === over)
  if (!found) return 'none'
  return found.required ? 'hard' : 'soft'
}

/** The same placement with another evenness; how uneven it may be stays. Pure. */
export function withEvenness(placement: Placement, over: Over, evenness: Evenness): Placement {
  const before = placement.spread.find((one) => one.over === over)
  const others = placement.spread.filter((one) => one.over !== over)
  if (evenness === 'none') return { ...placement, spread: others }
  const spread = { over, required: evenness === 'hard', skew: before?.skew ?? 1 }
  return { ...placement, spread: [...others, spread] }
}

type Weighed = { readonly weight?: number | undefined }

/** A condition that must hold, or (with a weight) a wish. Pure. */
export function weighed<One extends Weighed>(
  one: One,
  weight: number | undefined,
): Omit<One, 'weight'> & Weighed {
  const { weight: _, ...rest } = one
  return weight === undefined ? rest : { ...rest, weight }
}

/** Whether an operator takes values, or asks for the label alone. Pure. */
export function takesValues(operator: Operator): boolean {
  return operator !== 'Exists' && operator !== 'DoesNotExist'
}

/** Whether everything that was begun is complete. Pure. */
export function isComplete({ nodes, apart, together }: Placement): boolean {
  const isWhole = ({ label, operator, values }: NodeCondition): boolean =>
    label !== '' && (!takesValues(operator) || values.length > 0)
  return nodes.every(isWhole) && [...apart, ...together].every(({ application }) => application !== '')
}

/** Every condition as a line that says all of it. Pure. */
export function linesOf({ nodes, spread, apart, together }: Placement): readonly string[] {
  const neighbour = (kind: string, { application, environment, process, over, weight }: Neighbour): string =>
    [
      kind,
      [application, environment, process].filter((part) => part !== undefined).join('/'),
      over,
      ...weightOf(weight),
    ].join(' ')
  return [
    ...nodes.map(({ label, operator, values, weight }) =>
      ['nodes', label, operator, ...(values.length > 0 ? [values.join(', ')] : []), ...weightOf(weight)].join(
        ' ',
      ),
    ),
    ...spread.map(
      ({ over, required, skew }) => `spread ${over} ${required ? 'required' : 'preferred'} skew ${skew}`,
    ),
    ...apart.map((one) => neighbour('apart', one)),
    ...together.map((one) => neighbour('together', one)),
  ]
}

function weightOf(weight: number | undefined): readonly string[] {
  return weight === undefined ? [] : [`weight ${weight}`]
}

/** What goes and what comes; the order of conditions means nothing. Pure. */
export function differenceOf(before: Placement, after: Placement) {
  const [old, next] = [linesOf(before), linesOf(after)]
  return {
    removed: old.filter((line) => !next.includes(line)),
    added: next.filter((line) => !old.includes(line)),
  }
}
