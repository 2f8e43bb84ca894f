import { createHmac, timingSafeEqual } from 'node:crypto'

import type { Platform } from '../../context.ts'
import { publicUrlOf } from '../../http/browser.ts'
import { buildErrors } from './errors.ts'

/** What a signed address of a build is for. */
export type LinkKind = 'source' | 'package' | 'report' | 'cache-download' | 'cache-upload'

export type Signature = { readonly attempt: number; readonly expires: number; readonly signature: string }

const paths: Readonly<Record<LinkKind, string>> = {
  source: 'source',
  package: 'package',
  report: 'report',
  'cache-download': 'cache',
  'cache-upload': 'cache',
}

type Keys = Pick<Platform, 'envelope' | 'settings'>

function sign(platform: Keys, kind: LinkKind, buildId: string, attempt: number, expires: number): Buffer {
  return createHmac('sha256', platform.envelope.deriveKey('build-links'))
    .update(`${kind}|${buildId}|${attempt}|${expires}`)
    .digest()
}

/** An address that does one thing for one attempt of one build. */
export function linkFor(
  platform: Keys,
  kind: LinkKind,
  build: { readonly id: string; readonly attempt: number },
  expiresAt: Date,
): string {
  const expires = Math.floor(expiresAt.getTime() / 1_000)
  const url = new URL(`/v1/builds/${build.id}/${paths[kind]}`, publicUrlOf(platform.settings))
  url.searchParams.set('attempt', String(build.attempt))
  url.searchParams.set('expires', String(expires))
  url.searchParams.set(
    'signature',
    sign(platform, kind, build.id, build.attempt, expires).toString('base64url'),
  )
  return url.href
}

/** @throws {AppError} `build_link_invalid` */
export function checkLink(
  platform: Keys,
  kind: LinkKind,
  buildId: string,
  given: Signature,
  now: Date,
): void {
  const right = sign(platform, kind, buildId, given.attempt, given.expires)
  const presented = Buffer.from(given.signature, 'base64url')
  const fits = presented.length === right.length && timingSafeEqual(presented, right)
  if (!fits || given.expires * 1_000 < now.getTime()) throw buildErrors.build_link_invalid()
}
