import { StatusError } from '../errors.ts'

/** The form in which objects are answered. */
export type Form = {
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** Of meta.k8s.io, for the forms that are not ''. */
  readonly version: 'v1' | 'v1beta1'
}

export const PLAIN: Form = { as: '', version: 'v1' }
const MEDIA = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const

type Range = { readonly type: string; readonly parameters: ReadonlyMap<string, string> }

/** The media ranges of an Accept header in the client's order; `*` for an absent one. */
export function mediaRanges(accept: string | undefined): Range[] {
  return (accept ?? '*/*')
    .slice(0, 4096)
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim())
      const pairs = parameters.map((piece): [string, string] => {
        const at = piece.indexOf('=')
        return at < 0 ? [piece, ''] : [piece.slice(0, at).toLowerCase(), piece.slice(at + 1)]
      })
      return { type: type.toLowerCase(), parameters: new Map(pairs) }
    })
    .filter(({ type }) => type !== '')
}

export function isJsonRange({ type }: Range): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*'
}

/**
 * Chooses the form of the answer: the first range that this server can answer. Protobuf is never answered, so a client
 * that offers JSON behind it gets JSON.
 * @throws {StatusError} 406
 */
export function chooseForm(accept: string | undefined): Form {
  for (const range of mediaRanges(accept)) {
    if (!isJsonRange(range)) continue
    const as = range.parameters.get('as')
    if (as === undefined) return PLAIN
    const form = FORMS.find((one) => one === as)
    const version = range.parameters.get('v')
    if (range.parameters.get('g') !== 'meta.k8s.io' || form === undefined) continue
    if (version === 'v1' || version === 'v1beta1') return { as: form, version }
  }
  throw new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${MEDIA}`)
}
