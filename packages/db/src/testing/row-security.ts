import { connectClient } from '../connect.ts'

/** How every policy for the application reads its scope; PostgreSQL prints expressions with casts. */
const SETTING = "NULLIF(current_setting('slipway.organizations'::text, true), ''::text)"

type TableRow = {
  readonly name: string
  readonly protected: boolean
  readonly forced: boolean
  readonly owner: string
}
type PolicyRow = {
  readonly table: string
  readonly name: string
  readonly roles: readonly string[]
  readonly using: string | null
  readonly check: string | null
}

/**
 * Compares the schema with the rules of row-level security; an empty list is what a test expects.
 * Every table is either in `unprotected` or has row-level security, with one policy for the application that reads the scope
 * and one for the system role that lets everything through; the owner is not forced; the application owns nothing.
 */
export async function rowSecurityProblems(options: {
  readonly ownerUrl: string
  readonly unprotected: readonly string[]
}): Promise<readonly string[]> {
  await using client = await connectClient({ url: options.ownerUrl, name: 'test' })
  const tables = await client.query<TableRow>(
    `select relname as name, relrowsecurity as protected, relforcerowsecurity as forced, relowner::regrole::text as owner
      from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
        and relname <> 'schema_migration' order by relname`,
  )
  const policies = await client.query<PolicyRow>(
    `select c.relname as table, p.polname as name, pg_get_expr(p.polqual, p.polrelid) as using,
        pg_get_expr(p.polwithcheck, p.polrelid) as check,
        array(select role::regrole::text from unnest(p.polroles) as role order by 1) as roles
      from pg_policy p join pg_class c on c.oid = p.polrelid order by 1, 2`,
  )
  const names = tables.rows.map(({ name }) => name)
  return [
    ...options.unprotected
      .filter((name) => !names.includes(name))
      .map((name) => `${name} is listed as unprotected and does not exist`),
    ...tables.rows.flatMap((table) =>
      tableProblems(
        table,
        options.unprotected,
        policies.rows.filter((policy) => policy.table === table.name),
      ),
    ),
  ]
}

function tableProblems(
  table: TableRow,
  unprotected: readonly string[],
  policies: readonly PolicyRow[],
): string[] {
  const problems: string[] = []
  const say = (text: string): void => void problems.push(`${table.name} ${text}`)
  if (table.owner !== 'slipway_owner') say(`belongs to ${table.owner}`)
  if (table.forced) say('forces row-level security on its owner, so a backup would be refused')
  const isListed = unprotected.includes(table.name)
  if (isListed === table.protected)
    say(isListed ? 'is listed as unprotected and has row-level security' : 'has no row-level security')
  if (!table.protected) return problems
  for (const role of ['slipway_app', 'slipway_system'])
    if (!policies.some(({ roles }) => roles.includes(role))) say(`has no policy for ${role}`)
  for (const policy of policies) for (const problem of policyProblems(policy)) say(problem)
  return problems
}

function policyProblems(policy: PolicyRow): string[] {
  const [role] = policy.roles
  if (policy.roles.length !== 1 || role === undefined)
    return [`policy ${policy.name} is for ${policy.roles.join(', ')}`]
  if (role === 'slipway_system') return [] // sees everything, however that is written
  if (role !== 'slipway_app') return [`policy ${policy.name} is for ${role}`]
  return [policy.using, policy.check]
    .filter((expression) => expression !== null && !expression.includes(SETTING))
    .map(() => `policy ${policy.name} does not read the scope`)
}
