import { isRecord } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { isDigest, type Digest } from './digest.ts'
import { parseStrictJson, StrictJsonError } from './strict-json.ts'

/** Largest image configuration that is read. */
export const CONFIG_MAX_BYTES = 4 * 1024 * 1024

type HistoryEntry = {
  readonly created?: string | undefined
  readonly created_by?: string | undefined
  readonly comment?: string | undefined
  readonly author?: string | undefined
  readonly empty_layer?: boolean | undefined
}

/** What a container of the Image runs with. */
export type RunConfig = {
  readonly user: string | undefined
  readonly exposedPorts: readonly string[]
  /** `NAME=value`, in order. */
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDir: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly stopSignal: string | undefined
  readonly volumes: readonly string[]
}

export type ImageConfig = {
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
  readonly created: string | undefined
  readonly run: RunConfig
  /** One per layer, lowest first: the digest of the uncompressed tar. */
  readonly diffIds: readonly Digest[]
  readonly history: readonly HistoryEntry[]
  /** The whole document, for those who derive a new one from it and must lose nothing. */
  readonly raw: Readonly<Record<string, unknown>>
}

/**
 * Parses an image configuration (`application/vnd.oci.image.config.v1+json` or Docker's).
 * @throws {AppError} `image_config_invalid` with `reason`
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  let raw: unknown
  try {
    raw = parseStrictJson(bytes, { sizeMaxBytes: CONFIG_MAX_BYTES })
  } catch (cause) {
    if (cause instanceof StrictJsonError)
      throw ociErrors.image_config_invalid({ reason: cause.message }, { cause })
    throw cause
  }
  if (!isRecord(raw)) throw invalid('it is not an object')
  const rootfs = raw['rootfs']
  if (!isRecord(rootfs)) throw invalid('rootfs is missing')
  return {
    os: text(raw['os'], 'os') ?? 'linux',
    architecture: text(raw['architecture'], 'architecture') ?? '',
    variant: text(raw['variant'], 'variant'),
    created: text(raw['created'], 'created'),
    run: parseRunConfig(raw['config']),
    diffIds: texts(rootfs['diff_ids'], 'rootfs.diff_ids').map((entry) => {
      if (!isDigest(entry)) throw invalid('rootfs.diff_ids must hold digests')
      return entry
    }),
    history: parseHistory(raw['history']),
    raw,
  }
}

function invalid(reason: string): Error {
  return ociErrors.image_config_invalid({ reason })
}

function parseRunConfig(value: unknown): RunConfig {
  if (value !== undefined && value !== null && !isRecord(value)) throw invalid('config must be an object')
  const config = value ?? {}
  return {
    user: text(config['User'], 'User'),
    exposedPorts: keys(config['ExposedPorts'], 'ExposedPorts'),
    env: texts(config['Env'], 'Env'),
    entrypoint: texts(config['Entrypoint'], 'Entrypoint'),
    cmd: texts(config['Cmd'], 'Cmd'),
    workingDir: text(config['WorkingDir'], 'WorkingDir'),
    labels: labelsOf(config['Labels']),
    stopSignal: text(config['StopSignal'], 'StopSignal'),
    volumes: keys(config['Volumes'], 'Volumes'),
  }
}

function text(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(`${field} must be a text`)
  return value
}

function texts(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string'))
    throw invalid(`${field} must be a list of texts`)
  return value
}

function keys(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (!isRecord(value)) throw invalid(`${field} must be an object`)
  return Object.keys(value)
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw invalid('Labels must be an object')
  const labels: Record<string, string> = {}
  for (const [key, label] of Object.entries(value)) {
    if (typeof label !== 'string') throw invalid('Labels must hold texts only')
    labels[key] = label
  }
  return labels
}

function parseHistory(value: unknown): readonly HistoryEntry[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid('history must be a list')
  return value.map((entry: unknown) => {
    if (!isRecord(entry)) throw invalid('history must hold objects')
    const created = text(entry['created'], 'history.created')
    const createdBy = text(entry['created_by'], 'history.created_by')
    const comment = text(entry['comment'], 'history.comment')
    const author = text(entry['author'], 'history.author')
    return {
      ...(created === undefined ? {} : { created }),
      ...(createdBy === undefined ? {} : { created_by: createdBy }),
      ...(comment === undefined ? {} : { comment }),
      ...(author === undefined ? {} : { author }),
      ...(entry['empty_layer'] === true ? { empty_layer: true } : {}),
    }
  })
}
