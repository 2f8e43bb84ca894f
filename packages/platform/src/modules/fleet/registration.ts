/*
 * Registering a Cluster. What the operator gives is used once and kept nowhere: it looks whether the Cluster can be taken, puts
 * the account with its roles there, and makes the account's first token, which is all that is stored. Everything that can be
 * found out without an effect is found out first; what is then applied can be applied again.
 */
import { AppError, isRecord, messageOf, SECOND_MS, systemCodeOf } from '@slipway/kit'
import {
  eachObject,
  formatKubeconfig,
  hasReason,
  KubeError,
  parseKubeconfig,
  type CallOptions,
  type ClusterAccess,
  type Kube,
} from '@slipway/kube'

import type { RequestContext } from '../../context.ts'
import { publicUrlOf } from '../../http/browser.ts'
import { clientOf, expiryOf, isAccount, issueToken, otherSlot, proveAccount } from './credential.ts'
import { fleetErrors } from './errors.ts'
import { readFacts, readOwner } from './facts.ts'
import {
  accountManifests,
  INSTALLATION_LABEL,
  MANAGER,
  namespaceGrant,
  ownerMark,
  systemNamespace,
  type Manifest,
} from './manifests.ts'
import type { ClusterFacts, Credential, GatewaySettings, OwnerMark } from './model.ts'
import { isTooOld, VERSION_MIN } from './plan.ts'

const CALL_MS = 10 * SECOND_MS

export type Registration = {
  readonly server: string
  /** What is stored, sealed: never what the operator gave, where the Cluster knows accounts. */
  readonly kubeconfig: string
  readonly credential: Credential
}

export type Registering = {
  readonly clusterId: string
  readonly slug: string
  readonly kubeconfig: string
  readonly gateway: GatewaySettings
  /** The credential until now, when an operator registers the same Cluster again. */
  readonly before: Credential | undefined
  /** Name of a registered Cluster by its id. */
  readonly slugOf: (clusterId: string) => Promise<string | undefined>
}

type Step = RequestContext & {
  readonly about: Registering
  readonly kube: Kube
  readonly options: CallOptions
}

/**
 * @throws {AppError} `kubeconfig_invalid`, `kubeconfig_field_refused`, `cluster_unreachable`, `cluster_untrusted`,
 * `cluster_credentials_refused`, `cluster_not_kubernetes`, `cluster_failing`, `cluster_too_old`, `cluster_owned`,
 * `cluster_registered`, `cluster_rights_missing`, those of the outbound guard, `cluster_token_capped`, `cluster_account_unusable`
 */
export async function register(ctx: RequestContext, about: Registering): Promise<Registration> {
  const { access } = parseKubeconfig(about.kubeconfig)
  using kube = clientOf(ctx, access)
  const step: Step = { ...ctx, about, kube, options: { signal: ctx.signal, timeoutMs: CALL_MS } }
  try {
    const facts = await readFacts(kube, about.gateway, step.options)
    if (isTooOld(facts.version))
      throw fleetErrors.cluster_too_old({ version: facts.version, oldest: `1.${VERSION_MIN}` })
    await refuseForeign(step)
    return await settle(step, access, facts)
  } catch (thrown) {
    ctx.signal.throwIfAborted()
    throw thrown instanceof KubeError ? refusalOf(thrown, about.slug, access.server) : thrown
  }
}

async function settle(step: Step, access: ClusterAccess, { offers }: ClusterFacts): Promise<Registration> {
  const { about, kube, options, dryRun } = step
  const { server } = access
  if (!offers.leastPrivilege) {
    if (!dryRun) await mark(step)
    const expiresAt = expiryOf(access.credentials)?.toISOString() ?? null
    return { server, kubeconfig: about.kubeconfig, credential: { kind: 'given', expiresAt } }
  }
  if (!(await isAccount(kube, options))) await grantAccount(step)
  if (dryRun) {
    const credential: Credential = { kind: 'given', expiresAt: null }
    return { server, kubeconfig: '', credential }
  }
  const slot = about.before?.kind === 'service-account' ? otherSlot(about.before.slot) : 1
  const issued = await issueToken(step, kube, { access, slot, revokesOther: true })
  await proveAccount(step, issued.access)
  return { server, kubeconfig: formatKubeconfig(issued.access), credential: issued.credential }
}

/** Two platforms on one Cluster would undo each other's work, and so would two names of it on one platform. */
async function refuseForeign(step: Step): Promise<void> {
  const owner = await readOwner(step.kube, step.options)
  if (owner === undefined) return
  if (owner.installationId !== step.installationId)
    throw fleetErrors.cluster_owned({ owner: owner.installationId, address: owner.address })
  if (owner.clusterId === undefined || owner.clusterId === step.about.clusterId) return
  const slug = await step.about.slugOf(owner.clusterId)
  if (slug !== undefined) throw fleetErrors.cluster_registered({ cluster: slug })
}

export function markOf(
  { installationId, settings }: Pick<RequestContext, 'installationId' | 'settings'>,
  clusterId: string | undefined,
): OwnerMark {
  return { installationId, address: publicUrlOf(settings).origin, clusterId }
}

/** Creating it decides between two who register at one moment. */
async function mark(step: Step): Promise<void> {
  const { kube, about } = step
  const options = { ...step.options, manager: MANAGER, force: true }
  await kube.apply('namespaces', systemNamespace(), options)
  const object = ownerMark(markOf(step, about.clusterId))
  try {
    await kube.create('configmaps', object, options)
  } catch (thrown) {
    if (!hasReason(thrown, 'AlreadyExists')) throw thrown
    await refuseForeign(step)
    await kube.apply('configmaps', object, options)
  }
}

async function grantAccount(step: Step): Promise<void> {
  const { installationId, dryRun } = step
  const manifests = accountManifests(installationId)
  try {
    // The server checks for each whether this operator may hand out these rights.
    for (const one of manifests.filter(isForWholeCluster)) await applyOne(step, one, true)
    if (dryRun) return
    await mark(step)
    for (const one of manifests) await applyOne(step, one, false)
    await grantNamespaces(step)
  } catch (thrown) {
    if (!hasReason(thrown, 'Forbidden')) throw thrown
    throw fleetErrors.cluster_rights_missing({ problem: thrown.message.slice(0, 300) }, { cause: thrown })
  }
}

function isForWholeCluster({ object }: Manifest): boolean {
  return object.metadata?.namespace === undefined
}

async function applyOne(step: Step, { resource, object }: Manifest, dryRun: boolean): Promise<void> {
  await step.kube.apply(resource, object, { ...step.options, manager: MANAGER, force: true, dryRun })
}

/** Workloads that ran here before go on: their namespaces are ones in which the account may work. */
async function grantNamespaces({ kube, options, installationId }: Step): Promise<void> {
  const selection = { labelSelector: `${INSTALLATION_LABEL}=${installationId}`, ...options }
  for await (const { metadata } of eachObject(kube, 'namespaces', selection))
    if (metadata.deletionTimestamp === undefined)
      await kube.apply('rolebindings', namespaceGrant(metadata.name, installationId), {
        ...options,
        manager: MANAGER,
        force: true,
      })
}

const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|INVALID_CA|HOSTNAME_MISMATCH)/u

/** What a Cluster's refusal means to who registers it. */
export function refusalOf(thrown: KubeError, cluster: string, server: string): AppError {
  // The guard of outbound addresses says best itself what it refused.
  const refused = thrown.cause instanceof Error ? thrown.cause.cause : undefined
  if (refused instanceof AppError) return refused
  const problem = thrown.message.slice(0, 200)
  const cause = { cause: thrown }
  const code =
    isRecord(thrown.cause) || thrown.cause instanceof Error ? systemCodeOf(thrown.cause) : undefined
  if (code !== undefined && UNTRUSTED.test(code))
    return fleetErrors.cluster_untrusted({ server, problem: messageOf(thrown.cause).slice(0, 200) }, cause)
  if (thrown.code === 401) return fleetErrors.cluster_credentials_refused({ cluster }, cause)
  if (thrown.code === 403) return fleetErrors.cluster_rights_missing({ problem }, cause)
  if (thrown.code === 429 || thrown.code >= 500)
    return fleetErrors.cluster_failing({ cluster, problem }, { ...cause, retryAfterSeconds: 5 })
  if (thrown.reason === 'InvalidReply') return fleetErrors.cluster_not_kubernetes({ server, problem }, cause)
  return fleetErrors.cluster_unreachable({ cluster, problem }, cause)
}
