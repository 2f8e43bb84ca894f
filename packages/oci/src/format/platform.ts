import { ociErrors } from '../errors.ts'
import type { Descriptor, ImageIndex, Platform } from './manifest.ts'

/** Names other tools use for the architectures that the specification spells the Go way. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  ia32: '386',
  i386: '386',
}

/** The platform in the specification's words; arm64's only variant `v8` is the same as none. */
export function normalizePlatform(platform: Platform): Platform {
  const architecture = ARCHITECTURES[platform.architecture] ?? platform.architecture
  const variant = architecture === 'arm64' && platform.variant === 'v8' ? undefined : platform.variant
  return { os: platform.os, architecture, ...(variant === undefined ? {} : { variant }) }
}

/**
 * Picks the child of an index that runs on `wanted`: same system and architecture, an equal variant before none.
 * Children without a platform are attachments or artifacts and are never picked, nor is `unknown/unknown`.
 * @throws {AppError} `image_platform_missing` naming what the index offers
 */
export function selectPlatform(index: ImageIndex, wanted: Platform): Descriptor {
  const target = normalizePlatform(wanted)
  const fitting = index.manifests.filter((child) => {
    if (child.platform === undefined) return false
    const offered = normalizePlatform(child.platform)
    return (
      offered.os === target.os &&
      offered.architecture === target.architecture &&
      (target.variant === undefined || offered.variant === undefined || offered.variant === target.variant)
    )
  })
  const exact = fitting.find(
    (child) => child.platform && normalizePlatform(child.platform).variant === target.variant,
  )
  const chosen = exact ?? fitting[0]
  if (chosen) return chosen
  const offered = index.manifests
    .map((child) => (child.platform ? `${child.platform.os}/${child.platform.architecture}` : 'none'))
    .slice(0, 20)
    .join(', ')
  throw ociErrors.image_platform_missing({ wanted: `${target.os}/${target.architecture}`, offered })
}
