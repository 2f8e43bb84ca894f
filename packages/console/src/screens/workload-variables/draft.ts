import type { ConfigRevision } from '@slipway/contract'

/*
 * Changes to variables that are not saved yet. They are kept beside the newest revision and not as a copy of it, so that a
 * revision somebody else saves meanwhile shows through, and what is saved is exactly what was changed.
 */

export type Variable = ConfigRevision['variables'][number]
type Value = { readonly value: string; readonly secret: boolean }
export type Added = Value & { readonly key: number; readonly name: string }

export type Draft = {
  /** By name of a variable that is there: its new value, or that it goes. */
  readonly changed: Readonly<Record<string, Value | 'removed'>>
  readonly added: readonly Added[]
}

export const noDraft: Draft = { changed: {}, added: [] }

export type Difference = {
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Null where the value is a secret. */
  readonly before: string | null
  readonly after: string | null
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/u
const VALUE_LENGTH_MAX = 32_768

/** The draft with another value for a variable; one that says what is there anyway is no change. Pure. */
export function withValue(draft: Draft, base: Variable, value: Value): Draft {
  const isSame = !base.secret && !value.secret && base.value === value.value
  if (isSame) return withoutChange(draft, base.name)
  return { ...draft, changed: { ...draft.changed, [base.name]: value } }
}

export function withRemoved(draft: Draft, name: string): Draft {
  return { ...draft, changed: { ...draft.changed, [name]: 'removed' } }
}

export function withoutChange(draft: Draft, name: string): Draft {
  return {
    ...draft,
    changed: Object.fromEntries(Object.entries(draft.changed).filter(([key]) => key !== name)),
  }
}

/** The draft with one more variable; one that is there already gets the value instead. Pure. */
export function withAdded(
  draft: Draft,
  base: readonly Variable[],
  one: Value & { readonly name: string },
): Draft {
  const known = base.find(({ name }) => name === one.name)
  if (known) return withValue(draft, known, { value: one.value, secret: one.secret || known.secret })
  const key = 1 + Math.max(0, ...draft.added.map((added) => added.key))
  return { ...draft, added: [...draft.added, { ...one, key }] }
}

/** What saving would change, by name. Pure. */
export function differencesOf(base: readonly Variable[], draft: Draft): readonly Difference[] {
  const changed = base.flatMap(({ name, value, secret }): Difference[] => {
    const change = Object.hasOwn(draft.changed, name) ? draft.changed[name] : undefined
    if (change === undefined) return []
    const before = secret ? null : value
    if (change === 'removed') return [{ name, change: 'removed', before, after: null }]
    return [{ name, change: 'changed', before, after: change.secret ? null : change.value }]
  })
  const added = draft.added.map(({ name, value, secret }): Difference => ({
    name,
    change: 'added',
    before: null,
    after: secret ? null : value,
  }))
  return [...changed, ...added].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** What the server is asked to do. Pure. */
export function requestOf(base: readonly Variable[], draft: Draft) {
  const present = new Map(base.map((one) => [one.name, one]))
  const set = Object.entries(draft.changed).flatMap(([name, change]) =>
    change === 'removed' || !present.has(name) ? [] : [{ name, ...change }],
  )
  return {
    set: [...set, ...draft.added.map(({ name, value, secret }) => ({ name, value, secret }))],
    remove: Object.entries(draft.changed).flatMap(([name, change]) =>
      change === 'removed' && present.has(name) ? [name] : [],
    ),
  }
}

export type Problem = 'invalidName' | 'twice' | 'valueNeeded' | 'valueLong'

/** What keeps the draft from being saved, by key of an added variable or name of a changed one. Pure. */
export function problemsOf(base: readonly Variable[], draft: Draft): ReadonlyMap<number | string, Problem> {
  const problems = new Map<number | string, Problem>()
  const names = [...base.map(({ name }) => name), ...draft.added.map(({ name }) => name)]
  for (const { key, name, value, secret } of draft.added)
    if (!NAME.test(name)) problems.set(key, 'invalidName')
    else if (names.filter((one) => one === name).length > 1) problems.set(key, 'twice')
    else if (secret && value === '') problems.set(key, 'valueNeeded')
    else if (value.length > VALUE_LENGTH_MAX) problems.set(key, 'valueLong')
  for (const [name, change] of Object.entries(draft.changed))
    if (change !== 'removed' && change.value.length > VALUE_LENGTH_MAX) problems.set(name, 'valueLong')
    else if (change !== 'removed' && change.secret && change.value === '') problems.set(name, 'valueNeeded')
  return problems
}

/** Two revisions compared; of secrets only whether they are there. Pure. */
export function compareRevisions(
  before: readonly Variable[],
  after: readonly Variable[],
): readonly Difference[] {
  const earlier = new Map(before.map((one) => [one.name, one]))
  const later = new Map(after.map((one) => [one.name, one]))
  const gone = before.filter(({ name }) => !later.has(name))
  return [
    ...gone.map(({ name, value }): Difference => ({ name, change: 'removed', before: value, after: null })),
    ...after.flatMap(({ name, value, secret }): Difference[] => {
      const was = earlier.get(name)
      if (!was) return [{ name, change: 'added', before: null, after: value }]
      const isSame = was.secret === secret && was.value === value
      return isSame ? [] : [{ name, change: 'changed', before: was.value, after: value }]
    }),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The draft that leads back to a revision, as far as its values are known: secrets stay as they are now. Pure. */
export function draftTo(base: readonly Variable[], wanted: readonly Variable[]): Draft {
  let draft = noDraft
  for (const one of wanted)
    if (!one.secret && one.value !== null) draft = withAdded(draft, base, { ...one, value: one.value })
  for (const { name } of base) if (!wanted.some((one) => one.name === name)) draft = withRemoved(draft, name)
  return draft
}

/** Variables written as lines `NAME=value`, as in an env file; other lines are passed over. Pure. */
export function parseLines(text: string): readonly { readonly name: string; readonly value: string }[] {
  return text.split(/\r\n|\r|\n/u).flatMap((line) => {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/u.exec(line)
    const [, name = '', value = ''] = match ?? []
    if (!match) return []
    const quoted = /^(["'])(.*)\1$/u.exec(value)
    return [{ name, value: quoted?.[2] ?? value }]
  })
}
