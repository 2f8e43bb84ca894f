import { ociErrors } from '../errors.ts'
import { isDigest, type Digest } from './digest.ts'

/*
 * The grammar of names in the distribution specification. The expressions have no nested repetition over the same
 * characters, so a long hostile name costs one pass; the length is checked before they run all the same.
 */
const NAME_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${NAME_PART}(?:/${NAME_PART})*$`)
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})(?:\.[a-zA-Z0-9-]{1,63})*|\[[0-9a-fA-F:]{2,45}\])(?::[0-9]{1,5})?$/
const NAME_MAX = 255
const REFERENCE_MAX = NAME_MAX + 1 + 128 + 1 + 136

export function isRepositoryName(text: string): boolean {
  return text.length <= NAME_MAX && REPOSITORY.test(text)
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** Where an Image lies: `registry/repository:tag@digest`; the digest wins where both are given. */
export type ImageReference = {
  /** Host with optional port; undefined for a short name, which belongs to the installation's own registry. */
  readonly registry: string | undefined
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: Digest | undefined
}

/**
 * Parses `host:port/repository:tag@digest`. A first part is a host when it has a dot or a colon or is `localhost`,
 * as every client decides it. Neither tag nor digest means the tag `latest`.
 * @throws {AppError} `image_reference_invalid`
 */
export function parseImageReference(text: string): ImageReference {
  const refuse = (): Error => ociErrors.image_reference_invalid({ value: text.slice(0, 128) })
  if (text.length === 0 || text.length > REFERENCE_MAX) throw refuse()
  const [beforeDigest = '', digest, ...more] = text.split('@')
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) throw refuse()
  const slash = beforeDigest.indexOf('/')
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash)
  const hasHost = first === 'localhost' || /[.:[]/.test(first)
  if (hasHost && !HOST.test(first)) throw refuse()
  const path = hasHost ? beforeDigest.slice(slash + 1) : beforeDigest
  const colon = path.lastIndexOf(':')
  const repository = colon < 0 ? path : path.slice(0, colon)
  const tag = colon < 0 ? undefined : path.slice(colon + 1)
  if (!isRepositoryName(repository) || (tag !== undefined && !isTag(tag))) throw refuse()
  if (hasHost && first.length + 1 + repository.length > NAME_MAX) throw refuse()
  return {
    registry: hasHost ? first : undefined,
    repository,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  }
}

export function formatImageReference(reference: ImageReference): string {
  const host = reference.registry === undefined ? '' : `${reference.registry}/`
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${host}${reference.repository}${tag}${digest}`
}
