import { z } from 'zod'

import { DisplayName, Nothing, Slug } from './common.ts'
import { endpoint, stream } from './endpoint.ts'
import { Cluster, ClusterId, gatewayFields } from './fleet.ts'

const inCluster = z.strictObject({ cluster: ClusterId })
/** Image with Node 24 or newer in which the agent runs; the program itself comes with the manifest. */
const AgentImage = z
  .string()
  .regex(/^[\w][\w.:/@-]{0,511}$/u)
  .default('docker.io/library/node:24-slim')

/** Secret of namespace `slipway-system` with which the image is pulled. */
const AgentPullSecret = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/u)
  .optional()
const AUTHORITY_MAX = 128 * 1024
/** By which the agent trusts the platform's certificate; the platform's own authority unless told. */
const AgentAuthority = z
  .string()
  .max(AUTHORITY_MAX)
  .regex(/-----BEGIN CERTIFICATE-----/u)
  .optional()

/** A Cluster in a closed network is not dialled: an agent in it dials the platform, and carries all requests. */
export const agent = {
  registerAgent: endpoint({
    method: 'POST',
    path: '/v1/agents',
    auth: 'account',
    permission: 'cluster:create',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.agent.register',
    summary: 'Register a Cluster that cannot be reached from here, by a manifest that is applied there',
    body: z.strictObject({
      slug: Slug,
      name: DisplayName.optional(),
      isDefault: z.boolean().default(false),
      image: AgentImage,
      imagePullSecret: AgentPullSecret,
      certificateAuthority: AgentAuthority,
      ...gatewayFields,
    }),
    status: 201,
    secretResponse: true,
    response: z.strictObject({
      cluster: Cluster,
      /** YAML for kubectl; holds the agent's token, which is shown only here. */
      manifest: z.string(),
    }),
  }),
  renewAgentToken: endpoint({
    method: 'POST',
    path: '/v1/clusters/:cluster/agent-token',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.agent.renew',
    summary: "Replace the token of a Cluster's agent; the old one ends at once",
    params: inCluster,
    body: z.strictObject({
      image: AgentImage,
      imagePullSecret: AgentPullSecret,
      certificateAuthority: AgentAuthority,
    }),
    status: 200,
    secretResponse: true,
    response: z.strictObject({ cluster: Cluster, manifest: z.string() }),
  }),
  revokeAgentToken: endpoint({
    method: 'DELETE',
    path: '/v1/clusters/:cluster/agent-token',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.agent.revoke',
    summary: "Revoke the token of a Cluster's agent; its connection ends within seconds",
    params: inCluster,
    status: 204,
    response: Nothing,
  }),
  connectAgent: stream({
    transport: 'websocket',
    method: 'GET',
    path: '/v1/agents/connect',
    // The token comes as the first message, and is proven by the handler.
    auth: 'none',
    permission: 'public',
    rate: 'stream',
    summary: 'Connect an agent: after a greeting, all requests to its Cluster go through this connection',
  }),
} as const
