import type { AppManifest } from '@slipway/contract'
import { GIB, MINUTE_MS } from '@slipway/kit'

/** Limits of one repository, and of all mirrors together. */
export const REPOSITORY_MAX_MIB = 4_096
export const FETCH_MS = 10 * MINUTE_MS
export const MIRRORS_MAX_BYTES = 32 * GIB

/** Where the code of an Application lies. */
export type Source = {
  readonly applicationId: string
  readonly organizationId: string
  readonly projectId: string
  /** https, http, ssh, `user@host:path`, or an absolute path on the platform's machine. */
  readonly url: string
  /** Without it, what the repository's HEAD names. */
  readonly defaultBranch: string | null
  readonly credentials: {
    readonly kind: 'token' | 'ssh-key'
    readonly username: string
    readonly sealed: string
  } | null
  /** Rises with every change; part of what the credentials are sealed for. */
  readonly version: number
  readonly updatedAt: Date
}

/** Credentials in the clear; they reach the git child and nothing else. */
export type GitCredentials =
  | { readonly kind: 'token'; readonly username: string; readonly token: string }
  | { readonly kind: 'ssh-key'; readonly privateKey: string }

export type Ref = {
  readonly kind: 'branch' | 'tag'
  readonly name: string
  /** For an annotated tag the commit it points to. */
  readonly commit: string
}

export type RemoteRefs = {
  readonly defaultBranch: string | undefined
  readonly refs: readonly Ref[]
}

export type Commit = {
  readonly id: string
  readonly parents: readonly string[]
  readonly author: string
  readonly authoredAt: string
  readonly subject: string
}

/** What a commit holds, as far as building it needs to know. */
export type SourceTree = {
  readonly commit: string
  readonly manifest: AppManifest
  readonly hasManifest: boolean
  /** Names at the root. */
  readonly names: readonly string[]
  /** Text of package.json, when there is one and it is not too large. */
  readonly packageJson: string | undefined
}

/** A ref that was looked up. */
export type Resolved = {
  readonly commit: string
  /** The branch or tag it was named by; the commit itself when it was named so. */
  readonly ref: string
  readonly isDefaultBranch: boolean
}
