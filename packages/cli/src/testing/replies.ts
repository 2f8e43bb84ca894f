import type {
  Account,
  AuditEvent,
  Environment,
  Member,
  Organization,
  Project,
  Token,
  User,
} from '@slipway/contract'

import type { Replies } from './stand-in.ts'

const tail = '01k9x2v7c8d3f4g5h6j7m8n9pq'
const createdAt = '2026-01-15T08:30:00.000Z'
export const ids = {
  organization: `org_${tail}`,
  project: `prj_${tail}`,
  environment: `env_${tail}`,
  user: `usr_${tail}`,
  token: `tok_${tail}`,
} as const

const organization: Organization = {
  id: ids.organization,
  slug: 'acme',
  name: 'Acme 集团',
  parentId: null,
  createdAt,
}
const project: Project = {
  id: ids.project,
  organizationId: ids.organization,
  slug: 'shop',
  name: '网上商店',
  createdAt,
}
const environment: Environment = {
  id: ids.environment,
  projectId: ids.project,
  slug: 'test',
  name: '测试环境',
  clusterId: `cls_${tail}`,
  createdAt,
}
const user: User = {
  id: ids.user,
  name: 'li.wei',
  displayName: '李伟',
  platformRoles: ['operator'],
  disabled: false,
  createdAt,
}
const member: Member = {
  userId: ids.user,
  userName: 'li.wei',
  organizationId: ids.organization,
  projectId: null,
  role: 'owner',
}
const token: Token = {
  id: ids.token,
  name: 'ci',
  userId: ids.user,
  organizationId: null,
  createdAt,
  expiresAt: '2026-04-15T08:30:00.000Z',
  lastUsedAt: null,
}
const event: AuditEvent = {
  id: `aud_${tail}`,
  chain: 'installation',
  sequence: 7,
  at: createdAt,
  actor: ids.user,
  actorName: 'li.wei\u001B[31m',
  action: 'project.create',
  target: `project:${ids.project}`,
  projectId: ids.project,
  outcome: 'success',
  code: null,
  requestId: `req_${tail}`,
  address: '127.0.0.1',
  detail: { slug: 'shop' },
  previousHash: '0'.repeat(64),
  hash: '1'.repeat(64),
}
const account: Account = {
  user,
  via: 'session',
  memberships: [{ organizationId: ids.organization, projectId: null, role: 'owner' }],
}

const page = (item: unknown): { readonly body: unknown } => ({ body: { items: [item] } })
const done = { status: 204 } as const
const verified = {
  chain: 'installation',
  events: 12_345,
  intact: true,
  brokenAt: null,
  headHash: 'ab'.repeat(32),
}

/** A small installation: one object of each kind. */
export const replies: Replies = {
  'GET /v1/version': { body: { version: '0.1.0', installation: `ins_${tail}` } },
  'GET /v1/account': { body: account },
  'PUT /v1/account/password': done,
  'POST /v1/sessions': { status: 201, body: { user, secret: 'session-secret', expiresAt: createdAt } },
  'POST /v1/first-run': { status: 201, body: { user, secret: 'first-secret', expiresAt: createdAt } },
  'DELETE /v1/sessions': done,
  'DELETE /v1/sessions/current': done,
  'GET /v1/organizations': (_, url) => ({
    body: { items: [null, 'acme'].includes(url.searchParams.get('slug')) ? [organization] : [] },
  }),
  'POST /v1/organizations': { status: 201, body: organization },
  [`POST /v1/organizations/${ids.organization}/organizations`]: { status: 201, body: organization },
  [`GET /v1/organizations/${ids.organization}`]: { body: organization },
  [`PATCH /v1/organizations/${ids.organization}`]: { body: organization },
  [`DELETE /v1/organizations/${ids.organization}`]: done,
  'GET /v1/projects': (_, url) => ({
    body: { items: [null, 'shop'].includes(url.searchParams.get('slug')) ? [project] : [] },
  }),
  [`POST /v1/organizations/${ids.organization}/projects`]: { status: 201, body: project },
  [`GET /v1/projects/${ids.project}`]: { body: project },
  [`PATCH /v1/projects/${ids.project}`]: { body: project },
  [`DELETE /v1/projects/${ids.project}`]: done,
  [`GET /v1/projects/${ids.project}/environments`]: page(environment),
  [`POST /v1/projects/${ids.project}/environments`]: { status: 201, body: environment },
  [`GET /v1/environments/${ids.environment}`]: { body: environment },
  [`PATCH /v1/environments/${ids.environment}`]: { body: environment },
  [`DELETE /v1/environments/${ids.environment}`]: done,
  'GET /v1/users': page(user),
  'POST /v1/users': { status: 201, body: user },
  [`PATCH /v1/users/${ids.user}`]: { body: user },
  [`GET /v1/organizations/${ids.organization}/members`]: page(member),
  [`PUT /v1/organizations/${ids.organization}/members/${ids.user}`]: { body: member },
  [`DELETE /v1/organizations/${ids.organization}/members/${ids.user}`]: done,
  'GET /v1/tokens': page(token),
  'POST /v1/tokens': { status: 201, body: { ...token, secret: 'slp_once' } },
  [`DELETE /v1/tokens/${ids.token}`]: done,
  'GET /v1/audit-events': page(event),
  [`GET /v1/organizations/${ids.organization}/audit-events`]: page(event),
  'GET /v1/audit-chains/installation/verification': { body: verified },
}
