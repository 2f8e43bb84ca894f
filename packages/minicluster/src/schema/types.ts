import { isRecord, must } from '@slipway/kit'

import data from '../generated/schema.json' with { type: 'json' }

/** One field of an API type, as the generator in `tools/kubernetes-schema` describes it. Absent members mean "no". */
export type Field = {
  /** A scalar (`string`, `quantity`, `time`, …) or the name of a structure. */
  readonly type: string
  /** Lists and maps (with text keys) of `type`. */
  readonly shape?: 'list' | 'map'
  /** Protobuf field number. */
  readonly number?: number
  /** Encoded even when empty. */
  readonly kept?: boolean
  /** An empty value differs from an absent one. */
  readonly pointer?: boolean
  /** Strategic merge: how a list or object merges, and by which key its items are told apart. */
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  /** Server-side apply: owned as a whole; a set of scalars; or a list whose items have these keys. */
  readonly atomic?: boolean
  readonly set?: boolean
  readonly keys?: readonly string[]
  readonly defaults?: { readonly [key: string]: unknown }
}

export type Structure = {
  readonly name: string
  /** Owned as a whole in server-side apply. */
  readonly atomic: boolean
  /** Messages whose fields stand in this one's JSON; `number` is their protobuf field. */
  readonly inline: readonly { readonly number: number; readonly type: string }[]
  /** By JSON name, the inlined ones included. */
  readonly fields: ReadonlyMap<string, Field>
  /** The fields that have a protobuf number of this message. */
  readonly numbered: ReadonlyMap<number, readonly [name: string, field: Field]>
}

type RawStructure = {
  readonly atomic?: boolean
  readonly inline?: readonly { readonly number: number; readonly type: string }[]
  readonly fields: { readonly [name: string]: Field }
}

// The generator's output has exactly this form; the compiler sees a union of every literal type in the file.
const kinds = data.kinds as { readonly [apiVersion: string]: { readonly [kind: string]: string } }
const rawStructures = data.types as unknown as { readonly [name: string]: RawStructure }
const structures = new Map<string, Structure>()

/** The structure of that name; undefined for scalars. */
export function structureNamed(name: string): Structure | undefined {
  const known = structures.get(name)
  if (known) return known
  const raw = Object.hasOwn(rawStructures, name) ? rawStructures[name] : undefined
  if (raw === undefined) return undefined
  const structure = readStructure(name, raw)
  structures.set(name, structure)
  return structure
}

function readStructure(name: string, raw: RawStructure): Structure {
  const own = Object.entries(raw.fields)
  const inline = raw.inline ?? []
  const inlined = inline.flatMap(({ type }) => [
    ...must(structureNamed(type), `no structure ${type}`).fields.entries(),
  ])
  return {
    name,
    atomic: raw.atomic ?? false,
    inline,
    fields: new Map([...inlined, ...own]),
    numbered: new Map(own.flatMap(([key, field]) => (field.number ? [[field.number, [key, field]]] : []))),
  }
}

/** The structure of a kind; undefined when the kind is not one of ours. DeleteOptions and Status belong to every version. */
export function structureOf(apiVersion: string, kind: string): Structure | undefined {
  const common = kind === 'DeleteOptions' || kind === 'Status' ? kinds['v1'] : undefined
  const group = common ?? (Object.hasOwn(kinds, apiVersion) ? kinds[apiVersion] : undefined)
  const name = group && Object.hasOwn(group, kind) ? group[kind] : undefined
  return name === undefined ? undefined : structureNamed(name)
}

/** The structure that values of the field, or items of a list or map field, have. */
export function structureIn(field: Field | undefined): Structure | undefined {
  return field === undefined ? undefined : structureNamed(field.type)
}

/** True for kinds of CustomResourceDefinitions, which a real server keeps as plain JSON. */
export function isCustom(apiVersion: string): boolean {
  return apiVersion.startsWith('gateway.networking.k8s.io/')
}

/** apiVersion and kind of an object, empty when absent. */
export function typeOf(object: unknown): { readonly apiVersion: string; readonly kind: string } {
  if (!isRecord(object)) return { apiVersion: '', kind: '' }
  const { apiVersion, kind } = object
  return {
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    kind: typeof kind === 'string' ? kind : '',
  }
}
