// Made by tools/generate.ts from the contract; do not edit.

/** What a client must know of an operation to send it. */
export type EndpointEntry = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly transport: 'json' | 'sse' | 'websocket' | 'download' | 'upload'
  /** Names that travel in the query. */
  readonly query: readonly string[]
  /** Names that travel in the body; undefined when there is none. */
  readonly body?: readonly string[] | undefined
}

/** Every operation of the platform by its name. */
export const endpoints = {
  getVersion: {"method":"GET","path":"/v1/version","transport":"json","query":[]},
  getHealth: {"method":"GET","path":"/v1/health","transport":"json","query":[]},
  getFirstRun: {"method":"GET","path":"/v1/first-run","transport":"json","query":[]},
  completeFirstRun: {"method":"POST","path":"/v1/first-run","transport":"json","query":[],"body":["token","name","displayName","password","delivery"]},
  signIn: {"method":"POST","path":"/v1/sessions","transport":"json","query":[],"body":["name","password","delivery"]},
  signOut: {"method":"DELETE","path":"/v1/sessions/current","transport":"json","query":[]},
  signOutEverywhere: {"method":"DELETE","path":"/v1/sessions","transport":"json","query":[]},
  whoami: {"method":"GET","path":"/v1/account","transport":"json","query":[]},
  changePassword: {"method":"PUT","path":"/v1/account/password","transport":"json","query":[],"body":["currentPassword","newPassword"]},
  listUsers: {"method":"GET","path":"/v1/users","transport":"json","query":["limit","cursor","name"]},
  createUser: {"method":"POST","path":"/v1/users","transport":"json","query":[],"body":["name","displayName","password","platformRoles"]},
  updateUser: {"method":"PATCH","path":"/v1/users/:user","transport":"json","query":[],"body":["displayName","platformRoles","disabled","password"]},
  listTokens: {"method":"GET","path":"/v1/tokens","transport":"json","query":["limit","cursor"]},
  createToken: {"method":"POST","path":"/v1/tokens","transport":"json","query":[],"body":["name","organizationId","expiresInDays"]},
  deleteToken: {"method":"DELETE","path":"/v1/tokens/:token","transport":"json","query":[]},
  listOrganizations: {"method":"GET","path":"/v1/organizations","transport":"json","query":["limit","cursor","slug"]},
  createOrganization: {"method":"POST","path":"/v1/organizations","transport":"json","query":[],"body":["slug","name"]},
  createSuborganization: {"method":"POST","path":"/v1/organizations/:organization/organizations","transport":"json","query":[],"body":["slug","name"]},
  getOrganization: {"method":"GET","path":"/v1/organizations/:organization","transport":"json","query":[]},
  updateOrganization: {"method":"PATCH","path":"/v1/organizations/:organization","transport":"json","query":[],"body":["name"]},
  deleteOrganization: {"method":"DELETE","path":"/v1/organizations/:organization","transport":"json","query":[]},
  listProjects: {"method":"GET","path":"/v1/projects","transport":"json","query":["limit","cursor","organization","slug"]},
  createProject: {"method":"POST","path":"/v1/organizations/:organization/projects","transport":"json","query":[],"body":["slug","name"]},
  getProject: {"method":"GET","path":"/v1/projects/:project","transport":"json","query":[]},
  updateProject: {"method":"PATCH","path":"/v1/projects/:project","transport":"json","query":[],"body":["name"]},
  deleteProject: {"method":"DELETE","path":"/v1/projects/:project","transport":"json","query":[]},
  listEnvironments: {"method":"GET","path":"/v1/projects/:project/environments","transport":"json","query":["limit","cursor"]},
  createEnvironment: {"method":"POST","path":"/v1/projects/:project/environments","transport":"json","query":[],"body":["slug","name","cluster"]},
  getEnvironment: {"method":"GET","path":"/v1/environments/:environment","transport":"json","query":[]},
  updateEnvironment: {"method":"PATCH","path":"/v1/environments/:environment","transport":"json","query":[],"body":["name"]},
  deleteEnvironment: {"method":"DELETE","path":"/v1/environments/:environment","transport":"json","query":[]},
  listMembers: {"method":"GET","path":"/v1/organizations/:organization/members","transport":"json","query":["limit","cursor"]},
  setMember: {"method":"PUT","path":"/v1/organizations/:organization/members/:user","transport":"json","query":[],"body":["role","projectId"]},
  removeMember: {"method":"DELETE","path":"/v1/organizations/:organization/members/:user","transport":"json","query":["projectId"]},
  listAuditEvents: {"method":"GET","path":"/v1/audit-events","transport":"json","query":["limit","cursor","actor","action","target","from","until","chain"]},
  listOrganizationAuditEvents: {"method":"GET","path":"/v1/organizations/:organization/audit-events","transport":"json","query":["limit","cursor","actor","action","target","from","until"]},
  verifyAudit: {"method":"GET","path":"/v1/audit-chains/:chain/verification","transport":"json","query":[]},
} as const satisfies Readonly<Record<string, EndpointEntry>>
