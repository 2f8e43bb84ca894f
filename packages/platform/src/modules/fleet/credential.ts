/*
 * Credentials at Clusters: making the token of our account, proving that it works and that it does no more than it should, and
 * taking the token before it back. A token is bound to one of two Secrets, used by turns: deleting the Secret ends its token,
 * so nothing is ever left behind, not even by a process that was killed between two steps.
 */
import { DAY_MS, isRecord, SECOND_MS, waitFor } from '@slipway/kit'
import {
  hasReason,
  isAllowed,
  KubeError,
  kubeClient,
  type CallOptions,
  type ClusterAccess,
  type Kube,
  type Question,
} from '@slipway/kube'
import { X509Certificate } from 'node:crypto'

import type { Platform } from '../../context.ts'
import { addressGuardOf } from '../../outbound/index.ts'
import { VERSION } from '../../version.ts'
import { fleetErrors } from './errors.ts'
import {
  ACCOUNT,
  ACCOUNT_USER,
  credentialName,
  credentialSecret,
  MANAGER,
  SYSTEM_NAMESPACE,
} from './manifests.ts'
import type { Credential } from './model.ts'

/** Life that is asked for. The server may give less. */
const LIFE_SECONDS = (30 * DAY_MS) / SECOND_MS
/** A token that lives shorter than this, in ms, would be renewed all the time. */
const LIFE_MIN_MS = 1_800 * SECOND_MS
/** How long the token before a new one stays valid, in ms: other replicas may still use it. */
export const OVERLAP_MS = 30 * SECOND_MS
/** How long a server may take until what was applied is in force, in ms. */
const SETTLE_MS = 20 * SECOND_MS
const CALL_MS = 10 * SECOND_MS

export type AccountCredential = Extract<Credential, { readonly kind: 'service-account' }>
export type Issued = { readonly access: ClusterAccess; readonly credential: AccountCredential }
type Life = Pick<Platform, 'clock' | 'settings'> & { readonly signal: AbortSignal }

/** A client of a Cluster whose address somebody named; every connection passes the guard of outbound addresses. */
export function clientOf(
  { clock, settings }: Pick<Platform, 'clock' | 'settings'>,
  access: ClusterAccess,
  renewCredentials?: () => Promise<ClusterAccess['credentials']>,
): Kube & Disposable {
  return kubeClient({
    access,
    clock,
    userAgent: `slipway/${VERSION}`,
    guard: addressGuardOf(settings),
    ...(renewCredentials && { renewCredentials }),
  })
}

/**
 * Makes a token of our account in a slot. What was in the slot before ends.
 * @param kube - somebody who may: the operator at registration, afterwards the account itself
 * @throws {AppError} `cluster_token_capped` @throws {KubeError}
 */
export async function issueToken(
  life: Life,
  kube: Kube,
  about: { readonly access: ClusterAccess; readonly slot: 1 | 2; readonly revokesOther: boolean },
): Promise<Issued> {
  const { slot } = about
  const { clock, signal } = life
  const options = { signal, timeoutMs: CALL_MS }
  await revokeToken(kube, slot, signal)
  const secret = await kube.create('secrets', credentialSecret(slot), { ...options, manager: MANAGER })
  const { name, uid } = secret.metadata
  const now = clock.now()
  const { token, expiresAt } = await kube.requestToken(
    { namespace: SYSTEM_NAMESPACE, name: ACCOUNT },
    { lifeSeconds: LIFE_SECONDS, bound: { name, uid } },
    options,
  )
  if (expiresAt.getTime() - now.getTime() < LIFE_MIN_MS) {
    await revokeToken(kube, slot, signal)
    throw fleetErrors.cluster_token_capped({ until: expiresAt.toISOString() })
  }
  return {
    access: { ...about.access, credentials: { token } },
    credential: {
      kind: 'service-account',
      slot,
      issuedAt: now.toISOString(),
      expiresAt: expiresAt.toISOString(),
      revokeAt: about.revokesOther ? new Date(now.getTime() + OVERLAP_MS).toISOString() : null,
    },
  }
}

/** Ends the token of a slot, if there is one. */
export async function revokeToken(
  kube: Pick<Kube, 'remove'>,
  slot: 1 | 2,
  signal: AbortSignal,
): Promise<void> {
  const target = { namespace: SYSTEM_NAMESPACE, name: credentialName(slot) }
  try {
    await kube.remove('secrets', target, { signal, timeoutMs: CALL_MS })
  } catch (thrown) {
    if (!hasReason(thrown, 'NotFound')) throw thrown
  }
}

export function otherSlot(slot: 1 | 2): 1 | 2 {
  return slot === 1 ? 2 : 1
}

/** What the account must be allowed; the rest stands in the same roles. */
const needed: readonly Question[] = [
  { verb: 'list', resource: 'nodes' },
  { verb: 'watch', resource: 'pods' },
  { verb: 'watch', resource: 'deployments' },
  { verb: 'create', resource: 'namespaces' },
  { verb: 'create', resource: 'rolebindings' },
  { verb: 'bind', resource: 'clusterroles', name: 'slipway-workloads' },
  {
    verb: 'create',
    resource: 'serviceaccounts',
    subresource: 'token',
    namespace: SYSTEM_NAMESPACE,
    name: ACCOUNT,
  },
]
/** What nobody needs who only runs Applications; a server that allows it does not go by roles. */
const unneeded: readonly Question[] = [
  { verb: 'list', resource: 'secrets' },
  { verb: 'create', resource: 'clusterroles' },
]

/**
 * Waits until the server accepts the account, allows what it needs, and refuses what it must not do.
 * @throws {AppError} `cluster_account_unusable` when it does not come to that
 */
export async function proveAccount(life: Life, access: ClusterAccess): Promise<void> {
  using kube = clientOf(life, access)
  const options = { signal: life.signal, timeoutMs: CALL_MS }
  let missing = ''
  const isProven = async (): Promise<boolean> => {
    missing = await missingOf(kube, options)
    return missing === ''
  }
  try {
    await waitFor(life.clock, 'the account to be in force', isProven, { timeoutMs: SETTLE_MS, everyMs: 200 })
  } catch (cause) {
    life.signal.throwIfAborted()
    throw fleetErrors.cluster_account_unusable({ problem: missing }, { cause })
  }
}

async function missingOf(kube: Kube, options: CallOptions): Promise<string> {
  try {
    for (const question of needed)
      if (!(await isAllowed(kube, question, options))) return `may not ${question.verb} ${question.resource}`
    for (const question of unneeded)
      if (await isAllowed(kube, question, options)) return `may ${question.verb} ${question.resource}`
    return await policyGap(kube, options)
  } catch (thrown) {
    // A new token, or a server that was just told of its roles, is not known at once.
    if (thrown instanceof KubeError) return thrown.message.slice(0, 200)
    throw thrown
  }
}

/** Asks the server, without any effect, for what the admission policy must refuse. */
async function policyGap(kube: Kube, options: CallOptions): Promise<string> {
  try {
    const foreign = { metadata: { name: 'slipway-policy-check' } }
    await kube.create('namespaces', foreign, { ...options, dryRun: true, manager: MANAGER })
    return 'the admission policy is not in force'
  } catch (thrown) {
    if (hasReason(thrown, 'Forbidden') || hasReason(thrown, 'Invalid')) return ''
    throw thrown
  }
}

/** Whether these credentials are our account's already: an operator applied the manifest by hand. */
export async function isAccount(kube: Pick<Kube, 'create'>, options: CallOptions): Promise<boolean> {
  const { status } = await kube.create('selfsubjectreviews', {}, options)
  return status?.userInfo?.username === ACCOUNT_USER
}

/** When given credentials end, as far as they say so themselves. */
export function expiryOf({ token, clientCertificate }: ClusterAccess['credentials']): Date | undefined {
  const times = [
    clientCertificate && Date.parse(new X509Certificate(clientCertificate.certificate).validTo),
    token === undefined ? undefined : expiryOfToken(token),
  ]
    .filter((time) => time !== undefined)
    .filter((time) => !Number.isNaN(time))
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}

/** The time in a JSON Web Token, which is only shown: the server decides. */
function expiryOfToken(token: string): number | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const seconds = isRecord(payload) ? payload['exp'] : undefined
    return typeof seconds === 'number' ? seconds * SECOND_MS : undefined
  } catch {
    // Any other kind of token says nothing about its end.
    return undefined
  }
}
