import { ProcessName, WorkloadTemplate } from '@slipway/contract'
import { DAY_MS, HOUR_MS } from '@slipway/kit'
import { isDigest, type Digest, type RunConfig } from '@slipway/oci'

import type { Robot } from './model.ts'

/** How a person names an Image of an Application. */
export type NamedImage =
  | { readonly kind: 'digest'; readonly repository: string | undefined; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly repository: string | undefined; readonly tag: string }
  | { readonly kind: 'build'; readonly buildId: string }
  | { readonly kind: 'image'; readonly imageId: string }

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/u

/** Reads `sha256:…`, `repository@sha256:…`, `repository:tag`, `tag`, `bld_…` or `img_…`; undefined for anything else. */
export function parseNamedImage(text: string): NamedImage | undefined {
  if (/^bld_[0-9a-z]{26}$/u.test(text)) return { kind: 'build', buildId: text }
  if (/^img_[0-9a-z]{26}$/u.test(text)) return { kind: 'image', imageId: text }
  if (isDigest(text)) return { kind: 'digest', repository: undefined, digest: text }
  const at = text.indexOf('@')
  if (at > 0) {
    const digest = text.slice(at + 1)
    return isDigest(digest)
      ? { kind: 'digest', repository: withoutTag(text.slice(0, at)), digest }
      : undefined
  }
  const colon = text.lastIndexOf(':')
  if (colon < 0) return TAG.test(text) ? { kind: 'tag', repository: undefined, tag: text } : undefined
  const tag = text.slice(colon + 1)
  return TAG.test(tag) ? { kind: 'tag', repository: text.slice(0, colon), tag } : undefined
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
}

const DEFAULT_PORT = 8080

/** What an Image that was pushed, not built here, runs: its own command, as one web process at its first port. */
export function templateOfConfig(config: RunConfig): WorkloadTemplate {
  const port = config.exposedPorts
    .map((text) => Number(/^([0-9]{1,5})(?:\/tcp)?$/u.exec(text)?.[1]))
    .find((number) => number >= 1 && number <= 65_535)
  const command = [...config.entrypoint, ...config.cmd]
  const process = {
    kind: 'web',
    port: port ?? DEFAULT_PORT,
    ...(isUsable(command) ? { command } : {}),
  }
  return WorkloadTemplate.parse({ processes: { [ProcessName.parse('web')]: process } })
}

function isUsable(command: readonly string[]): boolean {
  return (
    command.length > 0 &&
    command.length <= 64 &&
    command.every((part) => part.length > 0 && part.length <= 4_096)
  )
}

const ROTATE_MS = 30 * DAY_MS
/** How long a robot's old secret still works, so that a Cluster that is away finds its way back in. */
export const OVERLAP_MS = 24 * HOUR_MS

export function needsRotation(robot: Pick<Robot, 'rotatedAt'>, now: Date): boolean {
  return now.getTime() - robot.rotatedAt.getTime() >= ROTATE_MS
}
