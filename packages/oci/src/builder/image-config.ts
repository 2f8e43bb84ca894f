import { isRecord } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import type { Platform } from '../format/manifest.ts'
import { BASE_DIGEST_KEY, BASE_LAYERS_KEY, BASE_NAME_KEY } from '../format/media-types.ts'
import { normalizePlatform } from '../format/platform.ts'
import type { ResolvedBase } from './base.ts'
import type { WrittenLayer } from './layer.ts'

/** What the Image runs with; everything not given is the base's. */
export type ImageSettings = {
  /** Begins with a bare command such as `node`, which the base or the host has on its path. */
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** TCP. */
  readonly ports?: readonly number[] | undefined
  /** Number or name, not root. */
  readonly user?: string | undefined
  readonly stopSignal?: string | undefined
}

const COMMAND = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/
const ARGUMENTS_MAX = 1_000
/** What Linux takes for one argument or variable. */
const TEXT_MAX_BYTES = 128 * 1024 - 1
const LABEL_MAX_BYTES = 64 * 1024
const ENTRIES_MAX = 1_000

/**
 * Checks settings before anything is read or written.
 * @throws {AppError} `image_config_invalid` with `reason`
 */
export function checkSettings(settings: ImageSettings): void {
  const [program, ...rest] = settings.command
  if (program === undefined || !COMMAND.test(program))
    throw invalid('the start command must begin with a bare command such as node or sh')
  if (rest.length > ARGUMENTS_MAX) throw invalid(`the start command has more than ${ARGUMENTS_MAX} arguments`)
  for (const argument of rest) checkText(argument, 'an argument', TEXT_MAX_BYTES)
  const variables = Object.entries(settings.environment ?? {})
  if (variables.length > ENTRIES_MAX) throw invalid(`there are more than ${ENTRIES_MAX} variables`)
  for (const [name, value] of variables) {
    if (!VARIABLE.test(name)) throw invalid(`${JSON.stringify(name.slice(0, 64))} is no name for a variable`)
    checkText(value, `the variable ${name.slice(0, 64)}`, TEXT_MAX_BYTES - name.length - 1)
  }
  const labels = Object.entries(settings.labels ?? {})
  if (labels.length > ENTRIES_MAX) throw invalid(`there are more than ${ENTRIES_MAX} labels`)
  for (const [name, value] of labels) {
    if (name === '' || name === '__proto__' || name.length > 256) throw invalid('a label has no usable name')
    checkText(value, `the label ${name.slice(0, 64)}`, LABEL_MAX_BYTES)
  }
  for (const port of settings.ports ?? [])
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('a port must be from 1 to 65535')
  checkUser(settings.user)
  if (settings.stopSignal !== undefined && !/^(?:SIG[A-Z0-9+-]{2,12}|[0-9]{1,2})$/.test(settings.stopSignal))
    throw invalid('the stop signal is no signal')
}

function invalid(reason: string): Error {
  return ociErrors.image_config_invalid({ reason })
}

function checkText(text: string, what: string, sizeMaxBytes: number): void {
  if (text.includes('\0')) throw invalid(`${what} has a NUL character`)
  if (Buffer.byteLength(text) > sizeMaxBytes) throw invalid(`${what} is longer than ${sizeMaxBytes} bytes`)
}

function checkUser(user: string | undefined): void {
  if (user === undefined) return
  if (!/^[a-z0-9_][a-z0-9_-]{0,31}(?::[a-z0-9_][a-z0-9_-]{0,31})?$/.test(user))
    throw invalid('the user is no user name or number')
  const [name = ''] = user.split(':')
  if (name === 'root' || /^0+$/.test(name)) throw invalid('the user must not be root')
}

export type ImageParts = {
  readonly base: ResolvedBase
  readonly settings: ImageSettings
  readonly layers: readonly (WrittenLayer & { readonly title: string })[]
  readonly platform: Platform
  /** Stands as `created` everywhere, so that equal inputs give an equal Image. */
  readonly date: Date
}

/** What the base is and how many layers are its own; as annotations of the manifest and as labels. */
export function baseRecord(base: ResolvedBase): Readonly<Record<string, string>> {
  return {
    [BASE_NAME_KEY]: base.name,
    ...(base.digest === undefined ? {} : { [BASE_DIGEST_KEY]: base.digest }),
    [BASE_LAYERS_KEY]: String(base.layers.length),
  }
}

/** The Image's configuration: the base's, continued. Keys stand in a fixed order, so equal inputs give equal bytes. */
export function imageConfigOf(parts: ImageParts): Buffer {
  const { base, settings, layers, date } = parts
  const raw = base.config?.raw ?? {}
  const inherited = isRecord(raw['config']) ? raw['config'] : {}
  const created = date.toISOString().replace('.000Z', 'Z')
  const { os, architecture, variant } = normalizePlatform(parts.platform)
  const document = {
    ...raw,
    created,
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {
      ...inherited,
      ...(settings.user === undefined ? {} : { User: settings.user }),
      ...(settings.stopSignal === undefined ? {} : { StopSignal: settings.stopSignal }),
      ExposedPorts: exposedPorts(base, settings),
      Env: environmentOf(base, settings),
      Cmd: settings.command,
      WorkingDir: '/app',
      Labels: sorted({ ...base.config?.run.labels, ...settings.labels, ...baseRecord(base) }),
    },
    rootfs: {
      type: 'layers',
      diff_ids: [...(base.config?.diffIds ?? []), ...layers.map((layer) => layer.diffId)],
    },
    history: [
      ...(base.config?.history ?? []),
      ...layers.map((layer) => ({ created, created_by: 'slipway', comment: layer.title })),
    ],
  }
  return Buffer.from(JSON.stringify(document))
}

function exposedPorts(base: ResolvedBase, settings: ImageSettings): Record<string, object> {
  const own = (settings.ports ?? []).map((port) => `${port}/tcp`)
  // What the application says replaces what the base offers, else no one could close a port of the base.
  const ports = settings.ports === undefined ? (base.config?.run.exposedPorts ?? []) : own
  return Object.fromEntries([...new Set(ports)].sort().map((port) => [port, {}]))
}

function environmentOf(base: ResolvedBase, settings: ImageSettings): readonly string[] {
  const variables = new Map<string, string>()
  for (const entry of base.config?.run.env ?? []) {
    const equals = entry.indexOf('=')
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1))
  }
  for (const [name, value] of Object.entries(sorted(settings.environment ?? {}))) variables.set(name, value)
  return [...variables].map(([name, value]) => `${name}=${value}`)
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
