import { z } from 'zod'

import { idOf, OrganizationId, PageQuery, pageOf, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'

export const AuditEvent = z.strictObject({
  id: idOf('aud'),
  /** The chain the event belongs to: an Organization's id, or `installation`. */
  chain: z.string(),
  sequence: z.number().int(),
  at: Timestamp,
  actor: z.string(),
  actorName: z.string(),
  action: z.string(),
  target: z.string(),
  projectId: z.string().nullable(),
  outcome: z.enum(['success', 'refused', 'failed']),
  code: z.string().nullable(),
  requestId: z.string(),
  address: z.string(),
  detail: z.record(z.string(), z.unknown()),
  previousHash: z.string(),
  hash: z.string(),
})
export type AuditEvent = z.infer<typeof AuditEvent>

const Filter = PageQuery.extend({
  actor: z.string().max(64).optional(),
  action: z.string().max(64).optional(),
  target: z.string().max(128).optional(),
  from: Timestamp.optional(),
  until: Timestamp.optional(),
})

export const audit = {
  listAuditEvents: endpoint({
    method: 'GET',
    path: '/v1/audit-events',
    auth: 'account',
    permission: 'audit:read',
    scope: 'installation',
    rate: 'read',
    summary: 'List audit events of the whole installation, newest first',
    query: Filter.extend({ chain: z.string().max(64).optional() }),
    status: 200,
    response: pageOf(AuditEvent),
  }),
  listOrganizationAuditEvents: endpoint({
    method: 'GET',
    path: '/v1/organizations/:organization/audit-events',
    auth: 'account',
    permission: 'audit:read',
    scope: 'organization',
    rate: 'read',
    summary: 'List audit events of an Organization, newest first',
    params: z.strictObject({ organization: OrganizationId }),
    query: Filter,
    status: 200,
    response: pageOf(AuditEvent),
  }),
  verifyAudit: endpoint({
    method: 'GET',
    path: '/v1/audit-chains/:chain/verification',
    auth: 'account',
    permission: 'audit:read',
    scope: 'installation',
    rate: 'write',
    summary: 'Recompute the hash chain of an Organization (or `installation`) and say where it breaks',
    params: z.strictObject({ chain: z.string().max(64) }),
    status: 200,
    response: z.strictObject({
      chain: z.string(),
      events: z.number().int(),
      intact: z.boolean(),
      brokenAt: z.number().int().nullable(),
      headHash: z.string(),
    }),
  }),
} as const
