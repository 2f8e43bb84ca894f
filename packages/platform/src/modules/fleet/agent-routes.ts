import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'

import type { Ctx, RequestContext } from '../../context.ts'
import { publicUrlOf } from '../../http/browser.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import { agentManifestYaml } from './agent-manifest.ts'
import { AGENT_SERVER, newAgentToken, type Agents } from './agents.ts'
import { fleetErrors } from './errors.ts'
import type { Cluster } from './model.ts'
import * as queries from './queries.ts'
import { markOf } from './registration.ts'
import * as service from './service.ts'

/** Clusters that an agent connects. */
export function agentRoutes(
  routes: Routes,
  agents: Agents,
  viewed: (ctx: Ctx, cluster: Cluster) => views.Cluster,
): void {
  routes.onOutside(contract.registerAgent, async ({ body }, outer, commit) => {
    const { slug, isDefault, gateway, gatewayUrl, domain } = body
    const id = outer.newId('clu')
    const { token, tokenHash } = newAgentToken()
    const manifest = await manifestFor(outer, { id, token, ...body })
    const registration = {
      server: AGENT_SERVER,
      kubeconfig: '',
      credential: agentCredential(outer, tokenHash),
    }
    const settings = { gateway, gatewayUrl, domain }
    const cluster = { id, slug, name: body.name ?? slug, registration, isDefault, gateway: settings }
    return commit(async (ctx) => ({
      cluster: viewed(ctx, await service.createCluster(ctx, cluster)),
      manifest,
    }))
  })
  routes.onOutside(contract.renewAgentToken, async ({ params, body }, outer, commit) => {
    const { token, tokenHash } = newAgentToken()
    const { gateway } = found(await outer.read((db) => queries.findCluster(db, params.cluster)))
    const about = { id: params.cluster, token, gatewayUrl: gateway.gatewayUrl, ...body }
    const manifest = await manifestFor(outer, about)
    return commit(async (ctx) => ({
      cluster: viewed(ctx, await setToken(ctx, params.cluster, tokenHash)),
      manifest,
    }))
  })
  routes.on(contract.revokeAgentToken, async ({ params }, ctx) => {
    await setToken(ctx, params.cluster, null)
  })
  routes.onStream(contract.connectAgent, ({ accept }) => agents.serve(accept))
}

function agentCredential({ now }: Pick<RequestContext, 'now'>, tokenHash: string | null) {
  return { kind: 'agent', tokenHash, issuedAt: now.toISOString(), expiresAt: null } as const
}

function manifestFor(
  ctx: Pick<RequestContext, 'installationId' | 'settings'>,
  about: {
    readonly id: string
    readonly token: string
    readonly image: string
    readonly imagePullSecret?: string | undefined
    readonly certificateAuthority?: string | undefined
    readonly gatewayUrl?: string | undefined
  },
): Promise<string> {
  const { id, certificateAuthority, token, image, imagePullSecret, gatewayUrl } = about
  return agentManifestYaml({
    mark: markOf(ctx, id),
    image,
    imagePullSecret,
    token,
    gatewayUrl,
    platformUrl: publicUrlOf(ctx.settings).origin,
    allowPlainHttp: ctx.settings.allowPlainHttp,
    authority: certificateAuthority ?? ctx.settings.authority,
  })
}

async function setToken(ctx: Ctx, clusterId: string, tokenHash: string | null): Promise<Cluster> {
  const before = found(await queries.findCluster(ctx.db, clusterId))
  if (before.credential.kind !== 'agent') throw fleetErrors.cluster_without_agent({ cluster: before.slug })
  const renewed = { credentials: before.credentials, credential: agentCredential(ctx, tokenHash) }
  await queries.renewCredential(ctx.db, before, renewed)
  ctx.note({ target: `cluster:${clusterId}`, detail: { slug: before.slug } })
  return { ...before, ...renewed }
}
