import { isRecord } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { digestOf, isDigest, algorithmOf, type Digest } from './digest.ts'
import { bareMediaType, manifestMediaTypes, mediaTypes } from './media-types.ts'
import { parseStrictJson, StrictJsonError } from './strict-json.ts'

/** Largest manifest that is read or stored; the specification asks a registry to accept at least this much. */
export const MANIFEST_MAX_BYTES = 4 * 1024 * 1024
const DESCRIPTORS_MAX = 20_000
const ANNOTATIONS_MAX = 10_000

export type Annotations = Readonly<Record<string, string>>

export type Platform = {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
  readonly osVersion?: string | undefined
}

export type Descriptor = {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly annotations?: Annotations | undefined
  readonly artifactType?: string | undefined
  readonly platform?: Platform | undefined
}

export type ImageManifest = {
  readonly kind: 'image'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject: Descriptor | undefined
  readonly artifactType: string | undefined
  readonly annotations: Annotations
}

export type ImageIndex = {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly subject: Descriptor | undefined
  readonly artifactType: string | undefined
  readonly annotations: Annotations
}

export type Manifest = ImageManifest | ImageIndex

/**
 * Parses an image manifest or index, OCI or Docker schema 2. Unknown fields and unknown layer types are accepted.
 * @param contentType - the transport's type; one that contradicts the body is refused
 * @throws {AppError} `manifest_invalid` with `reason`
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): Manifest {
  const raw = parseDocument(bytes)
  const mediaType = mediaTypeOf(raw, contentType)
  const isIndex = mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex
  if (raw['schemaVersion'] !== 2) throw invalid('schemaVersion must be 2')
  if (raw['manifests'] !== undefined && (raw['layers'] !== undefined || raw['config'] !== undefined))
    throw invalid('it is both an index and an image')
  const shared = {
    mediaType,
    subject: raw['subject'] === undefined ? undefined : parseDescriptor(raw['subject'], 'subject'),
    artifactType: optionalText(raw['artifactType'], 'artifactType'),
    annotations: parseAnnotations(raw['annotations'], 'annotations') ?? {},
  }
  if (isIndex) {
    if (raw['manifests'] === undefined) throw invalid('manifests is missing')
    return { kind: 'index', ...shared, manifests: parseDescriptors(raw['manifests'], 'manifests') }
  }
  if (raw['config'] === undefined || raw['layers'] === undefined) throw invalid('config or layers is missing')
  return {
    kind: 'image',
    ...shared,
    config: parseDescriptor(raw['config'], 'config'),
    layers: parseDescriptors(raw['layers'], 'layers'),
  }
}

/** What a referrers list shows as the artifact's type: its own, else the config's type for an image, else nothing. */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.artifactType !== undefined && manifest.artifactType !== '') return manifest.artifactType
  return manifest.kind === 'image' ? manifest.config.mediaType : undefined
}

function invalid(reason: string): Error {
  return ociErrors.manifest_invalid({ reason })
}

function parseDocument(bytes: Uint8Array): Record<string, unknown> {
  let raw: unknown
  try {
    raw = parseStrictJson(bytes, { sizeMaxBytes: MANIFEST_MAX_BYTES })
  } catch (cause) {
    if (cause instanceof StrictJsonError)
      throw ociErrors.manifest_invalid({ reason: cause.message }, { cause })
    throw cause
  }
  if (!isRecord(raw)) throw invalid('it is not an object')
  return raw
}

function mediaTypeOf(raw: Record<string, unknown>, contentType: string | undefined): string {
  const inside = optionalText(raw['mediaType'], 'mediaType')
  const outside =
    contentType === undefined || bareMediaType(contentType) === 'application/json'
      ? undefined
      : bareMediaType(contentType)
  if (inside !== undefined && outside !== undefined && inside !== outside)
    throw invalid(`mediaType ${quoted(inside)} contradicts the content type ${quoted(outside)}`)
  const guessed = raw['manifests'] === undefined ? mediaTypes.manifest : mediaTypes.index
  const mediaType = inside ?? outside ?? guessed
  if (!manifestMediaTypes.includes(mediaType))
    throw invalid(`the type ${quoted(mediaType)} is not a manifest this registry knows`)
  return mediaType
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}

function optionalText(value: unknown, field: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value.length > 1_024) throw invalid(`${field} must be a short text`)
  return value
}

function parseDescriptors(value: unknown, field: string): readonly Descriptor[] {
  // Go programs write null for an empty list.
  if (value === null) return []
  if (!Array.isArray(value)) throw invalid(`${field} must be a list`)
  if (value.length > DESCRIPTORS_MAX) throw invalid(`${field} has more than ${DESCRIPTORS_MAX} entries`)
  return value.map((entry, index) => parseDescriptor(entry, `${field}[${index}]`))
}

function parseDescriptor(value: unknown, field: string): Descriptor {
  if (!isRecord(value)) throw invalid(`${field} must be an object`)
  const mediaType = optionalText(value['mediaType'], `${field}.mediaType`)
  const { digest, size } = value
  if (mediaType === undefined || mediaType === '') throw invalid(`${field}.mediaType is missing`)
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${field}.digest is not a digest`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${field}.size must be a whole number from 0 to 2^53`)
  checkData(value['data'], digest, size, field)
  const annotations = parseAnnotations(value['annotations'], `${field}.annotations`)
  const artifactType = optionalText(value['artifactType'], `${field}.artifactType`)
  const platform = parsePlatform(value['platform'], `${field}.platform`)
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
  }
}

/** Embedded content must be what the digest says, otherwise two readers of one manifest see two contents. */
function checkData(data: unknown, digest: Digest, size: number, field: string): void {
  if (data === undefined) return
  if (typeof data !== 'string') throw invalid(`${field}.data must be base64 text`)
  const bytes = Buffer.from(data, 'base64')
  if (bytes.toString('base64') !== data) throw invalid(`${field}.data must be base64 text`)
  if (bytes.length !== size || digestOf(bytes, algorithmOf(digest)) !== digest)
    throw invalid(`${field}.data is not what the digest names`)
}

function parseAnnotations(value: unknown, field: string): Annotations | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw invalid(`${field} must be an object`)
  const entries = Object.entries(value)
  if (entries.length > ANNOTATIONS_MAX) throw invalid(`${field} has more than ${ANNOTATIONS_MAX} entries`)
  const annotations: Record<string, string> = {}
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw invalid(`${field} must hold texts only`)
    annotations[key] = text
  }
  return annotations
}

function parsePlatform(value: unknown, field: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw invalid(`${field} must be an object`)
  const variant = optionalText(value['variant'], `${field}.variant`)
  const osVersion = optionalText(value['os.version'], `${field}.os.version`)
  return {
    os: optionalText(value['os'], `${field}.os`) ?? '',
    architecture: optionalText(value['architecture'], `${field}.architecture`) ?? '',
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  }
}
