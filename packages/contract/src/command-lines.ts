/*
 * The line of the `slipway` command that does the same as an operation, shown beside it in the console and in the API's
 * reference. An operation without an entry is reached by `slipway api <operation> field=value`. `<…>` stands for what the
 * reader fills in. A test of the command line parses every entry.
 */

/** Operation name → command line, without the leading `slipway`. */
export const commandLines: Readonly<Record<string, string>> = {
  getVersion: 'doctor',
  completeFirstRun: 'login --first-run-token <token> --name <name>',
  signIn: 'login --name <name>',
  signOut: 'logout',
  signOutEverywhere: 'logout --everywhere',
  whoami: 'whoami',
  changePassword: 'user password',
  listUsers: 'user list',
  createUser: 'user create <name>',
  updateUser: 'user update <user>',
  listTokens: 'token list',
  createToken: 'token create <name>',
  deleteToken: 'token delete <token>',
  listOrganizations: 'organization list',
  createOrganization: 'organization create <slug>',
  createSuborganization: 'organization create <slug> --parent <organization>',
  getOrganization: 'organization get <organization>',
  updateOrganization: 'organization update <organization> --name <name>',
  deleteOrganization: 'organization delete <organization>',
  listProjects: 'project list',
  createProject: 'project create <slug> --organization <organization>',
  getProject: 'project get <project>',
  updateProject: 'project update <project> --name <name>',
  deleteProject: 'project delete <project>',
  listEnvironments: 'environment list --project <project>',
  createEnvironment: 'environment create <project>/<environment>',
  getEnvironment: 'environment get <project>/<environment>',
  updateEnvironment: 'environment update <project>/<environment> --name <name>',
  deleteEnvironment: 'environment delete <project>/<environment>',
  listMembers: 'member list --organization <organization>',
  setMember: 'member set <user> --role <role> --organization <organization>',
  removeMember: 'member remove <user> --organization <organization>',
  listAuditEvents: 'audit list',
  listOrganizationAuditEvents: 'audit list --organization <organization>',
  verifyAudit: 'audit verify <chain>',
}
