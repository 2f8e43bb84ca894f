import { createHmac } from 'node:crypto'

import type { Platform } from '../../context.ts'
import type { GitCredentials, Source } from './model.ts'

type Keys = Pick<Platform, 'envelope'>

/** What a source's credentials are sealed for: also its address, so that they cannot be made to go elsewhere. */
export function credentialsOwner(
  source: Pick<Source, 'organizationId' | 'applicationId' | 'version' | 'url'>,
) {
  return [source.organizationId, 'source', source.applicationId, String(source.version), source.url] as const
}

export function credentialsOf(keys: Keys, source: Source): GitCredentials | undefined {
  if (source.credentials === null) return undefined
  const { kind, username, sealed } = source.credentials
  const secret = keys.envelope.open(sealed, credentialsOwner(source)).toString('utf8')
  return kind === 'token' ? { kind, username, token: secret } : { kind, privateKey: secret }
}

const NAME_LENGTH = 32

/**
 * What a repository with its credentials is called in the data folder. Sources share a mirror when address and credentials are
 * the same: then each of them could fetch all that is in it. The name is keyed, so it tells nothing about the credentials.
 */
export function repositoryNameOf(keys: Keys, url: string, credentials: GitCredentials | undefined): string {
  return createHmac('sha256', keys.envelope.deriveKey('source-mirrors'))
    .update(JSON.stringify([url, credentials ?? null]))
    .digest('hex')
    .slice(0, NAME_LENGTH)
}

export function mirrorNameOf(keys: Keys, source: Source): string {
  return repositoryNameOf(keys, source.url, credentialsOf(keys, source))
}
